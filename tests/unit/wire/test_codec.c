/* The codec, rule by rule; what bytes mean is in the golden vectors of tests/wire. */
#include <stdlib.h>
#include <string.h>

#include "frame_tools.h"
#include "testing.h"
#include "vector.h"
#include "wire/codec.h"

static struct wire_frame frame, again;
static uint8_t encoded[WIRE_MESSAGE_BYTES_MAX];

static int encode(enum wire_type type, const void *message, size_t *ret_n)
{
    return wire_encode(type, message, encoded, sizeof(encoded), ret_n);
}

/* ---------------------------------------------------------------------------------- round trips */

static void what_is_encoded_decodes_to_the_same_values(void **state)
{
    static uint8_t noise[8192];
    uint64_t x = 42;

    for (int round = 0; round < 400; round++) {
        size_t n_noise = (size_t)round * 20, n = 0;

        for (size_t i = 0; i < n_noise; i++) {
            x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            noise[i] = (uint8_t)(x >> 56);
        }
        frame_fill(&frame, noise, n_noise);
        assert_int_equal(encode(frame.type, frame_message(&frame), &n), 0);
        assert_int_equal(wire_decode(&again, encoded, n, NULL), 0);
        assert_true(frame_equal(&frame, &again));
    }
}

static void decoding_leaves_rows_past_the_count_alone(void **state)
{
    struct wire_ask ask = {.id = 1, .n_context = 1, .context = {{.field = 204}}};
    size_t n;

    assert_int_equal(encode(WIRE_TYPE_ASK, &ask, &n), 0);
    memset(&frame, 0x5a, sizeof(frame));
    assert_int_equal(wire_decode(&frame, encoded, n, NULL), 0);
    assert_int_equal(frame.ask.n_context, 1);
    assert_int_equal(frame.ask.context[0].value, 0);
    assert_int_equal(frame.ask.context[0].text.size, 0);
    assert_int_equal(frame.ask.context[1].field, 0x5a5a5a5a);
}

static void an_absent_byte_string_is_empty_and_may_be_copied(void **state)
{
    const uint8_t cancel[] = {0x3a, 0x00}, ask[] = {0x1a, 0x02, 0x4a, 0x00};
    char to[1] = {'x'};

    memset(&frame, 0x5a, sizeof(frame));
    assert_int_equal(wire_decode(&frame, cancel, sizeof(cancel), NULL), 0);
    assert_int_equal(frame.cancel.id, 0);
    assert_int_equal(wire_decode(&frame, ask, sizeof(ask), NULL), 0);
    assert_int_equal(frame.ask.content.size, 0);
    assert_non_null(frame.ask.content.data);
    memcpy(to, frame.ask.content.data, frame.ask.content.size);
    assert_int_equal(to[0], 'x');
    assert_int_equal(wire_text(NULL).size, 0);
    assert_non_null(wire_text(NULL).data);
    assert_int_equal(wire_text("four").size, 4);
}

static void byte_strings_point_into_the_datagram(void **state)
{
    const uint8_t bytes[] = {0x1a, 0x05, 0x4a, 0x03, 'a', 0, 'b'};

    assert_int_equal(wire_decode(&frame, bytes, sizeof(bytes), NULL), 0);
    assert_ptr_equal(frame.ask.content.data, bytes + 4);
    assert_int_equal(frame.ask.content.size, 3);
}

/* --------------------------------------------------------------------------------------- limits */

static void each_byte_string_may_be_as_long_as_its_limit_and_no_longer(void **state)
{
    static uint8_t text[WIRE_INLINE_BYTES_MAX + 1];

    for (size_t m = 0; m < wire_n_messages; m++) {
        const struct wire_message *layout = &wire_messages[m];

        for (size_t i = 0; i < layout->table->n_fields; i++) {
            const struct wire_field *field = &layout->table->fields[i];
            char *message = (char *)&frame + layout->offset;
            struct wire_bytes *bytes = (struct wire_bytes *)(message + field->offset);
            size_t n;

            if (field->kind != WIRE_BYTES) {
                continue;
            }
            memset(&frame, 0, sizeof(frame));
            *bytes = (struct wire_bytes){.data = text, .size = field->max_bytes};
            assert_int_equal(encode(layout->type, message, &n), 0);
            assert_int_equal(wire_decode(&again, encoded, n, NULL), 0);
            bytes->size++;
            assert_int_equal(encode(layout->type, message, &n), WIRE_E_TOO_LONG);
        }
    }
}

static void each_list_may_be_as_long_as_its_limit_and_no_longer(void **state)
{
    for (size_t m = 0; m < wire_n_messages; m++) {
        const struct wire_message *layout = &wire_messages[m];

        for (size_t i = 0; i < layout->table->n_fields; i++) {
            const struct wire_field *field = &layout->table->fields[i];
            char *message = (char *)&frame + layout->offset;
            size_t *count = (size_t *)(message + field->count_offset);
            size_t n;

            if (!field->max_count) {
                continue;
            }
            memset(&frame, 0, sizeof(frame));
            *count = field->max_count;
            assert_int_equal(encode(layout->type, message, &n), 0);
            assert_int_equal(wire_decode(&again, encoded, n, NULL), 0);
            ++*count;
            assert_int_equal(encode(layout->type, message, &n), WIRE_E_TOO_MANY);
        }
    }
}

/* An ask of just the size that is wanted: content of 32768 bytes and texts for the rest. */
static void ask_of_size(struct wire_ask *ret_ask, size_t size)
{
    static uint8_t text[WIRE_INLINE_BYTES_MAX];
    size_t n_text = 0, n = 0;

    *ret_ask = (struct wire_ask){.content = {.data = text, .size = WIRE_INLINE_BYTES_MAX}};
    ret_ask->n_context = 8;
    for (size_t i = 0; i < 8; i++) {
        ret_ask->context[i].text = (struct wire_bytes){.data = text, .size = 4000};
    }
    assert_int_equal(encode(WIRE_TYPE_ASK, ret_ask, &n), 0);
    n_text = size - n;
    for (size_t i = 0; i < 8; i++) {
        size_t more = n_text > 96 ? 96 : n_text;

        ret_ask->context[i].text.size += more;
        n_text -= more;
    }
    assert_int_equal(n_text, 0);
}

static void a_message_of_64_kib_passes_and_one_byte_more_does_not(void **state)
{
    static uint8_t larger[WIRE_MESSAGE_BYTES_MAX + 100];
    struct wire_ask ask;
    size_t n = 0;

    ask_of_size(&ask, WIRE_MESSAGE_BYTES_MAX);
    assert_int_equal(wire_encode(WIRE_TYPE_ASK, &ask, larger, sizeof(larger), &n), 0);
    assert_int_equal(n, WIRE_MESSAGE_BYTES_MAX);
    assert_int_equal(wire_decode(&frame, larger, n, NULL), 0);
    ask.context[0].value = 1;
    assert_int_equal(wire_encode(WIRE_TYPE_ASK, &ask, larger, sizeof(larger), &n), WIRE_E_TOO_LONG);
    assert_int_equal(wire_encode(WIRE_TYPE_ASK, &ask, larger, WIRE_MESSAGE_BYTES_MAX, &n),
                     WIRE_E_NO_SPACE);
}

static void encoding_into_too_small_a_buffer_writes_nothing(void **state)
{
    struct wire_done done = {.id = 300, .did = PES_DID_REFUSE};
    uint8_t small[16];
    size_t n = 99;

    for (size_t i = 0; i < 7; i++) {
        memset(small, 0xee, sizeof(small));
        assert_int_equal(wire_encode(WIRE_TYPE_DONE, &done, small, i, &n), WIRE_E_NO_SPACE);
        assert_int_equal(n, 99);
        assert_int_equal(small[0], 0xee);
    }
    assert_int_equal(wire_encode(WIRE_TYPE_DONE, &done, small, 7, &n), 0);
    assert_int_equal(n, 7);
    assert_int_equal(small[7], 0xee);
}

static void encoding_refuses_what_decoding_would_refuse(void **state)
{
    struct wire_hello hello = {.can = 1u << 31};
    size_t n;

    assert_int_equal(encode(WIRE_TYPE_HELLO, &hello, &n), WIRE_E_FLAGS);
    assert_int_equal(encode(WIRE_TYPE_NONE, &hello, &n), WIRE_E_UNKNOWN_TYPE);
    assert_int_equal(encode((enum wire_type)63, &hello, &n), WIRE_E_UNKNOWN_TYPE);
}

/* --------------------------------------------------------------------------------------- faults */

static void a_fault_says_where_in_what_field_of_what_message(void **state)
{
    const uint8_t row[] = {0x1a, 0x06, 0x08, 0x01, 0x62, 0x02, 0x12, 0x05};
    const uint8_t unknown[] = {0xfa, 0x01, 0x00}; /* message 31 */
    struct wire_fault fault;

    assert_int_equal(wire_decode(&frame, row, sizeof(row), &fault), WIRE_E_TRUNCATED);
    assert_int_equal(fault.type, WIRE_TYPE_ASK);
    assert_int_equal(fault.offset, 7);
    assert_string_equal(fault.field, "text");
    assert_int_equal(wire_decode(&frame, unknown, sizeof(unknown), &fault), WIRE_E_UNKNOWN_TYPE);
    assert_int_equal(fault.type, 31);
    assert_null(fault.field);
    assert_int_equal(wire_decode(&frame, row, 0, &fault), WIRE_E_FRAME);
    assert_int_equal(fault.type, 0);
}

static void every_outcome_has_a_text_of_its_own(void **state)
{
    for (int i = 0; i <= WIRE_E_NO_SPACE; i++) {
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(wire_outcome_text(i), wire_outcome_text(k));
        }
    }
    assert_string_equal(wire_outcome_text(99), "unknown outcome");
}

/* Exactly as many bytes as there are, in memory of their own, so that a sanitizer sees one more. */
static int decode_copy(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    struct wire_fault fault;
    int r;

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    r = wire_decode(&frame, copy, n, &fault);
    assert_true(fault.offset <= n);
    if (r == 0) {
        size_t n_encoded = 0;
        /* A list of one number that came without its row needs a byte more than it came in. */
        size_t room = n < sizeof(encoded) ? n + 1 : n;

        assert_int_equal(wire_encode(frame.type, frame_message(&frame), encoded, room, &n_encoded),
                         0);
        assert_int_equal(wire_decode(&again, encoded, n_encoded, NULL), 0);
        assert_true(frame_equal(&frame, &again));
    } else {
        assert_in_range(r, WIRE_E_TRUNCATED, WIRE_E_FRAME);
        assert_int_equal(frame.type, WIRE_TYPE_NONE);
    }
    free(copy);
    return r;
}

/* Every place, but in a long vector only those near its ends: what is between is one byte string.
 */
static size_t next_place(size_t i, size_t n)
{
    return i == 2048 && n > 4096 ? n - 64 : i + 1;
}

static void cut_short(const struct vector *v, void *userdata)
{
    for (size_t n = 0; n < v->n_bytes; n = next_place(n, v->n_bytes)) {
        int r = decode_copy(v->bytes, n);

        if (strcmp(v->group, "bad") != 0) {
            assert_int_equal(r, n == 0 ? WIRE_E_FRAME : WIRE_E_TRUNCATED);
        }
    }
}

static void no_vector_decodes_when_it_is_cut_short(void **state)
{
    vector_each("good", cut_short, NULL);
    vector_each("accepted", cut_short, NULL);
}

static void flip(const struct vector *v, void *userdata)
{
    static uint8_t bytes[sizeof(v->bytes)];

    memcpy(bytes, v->bytes, v->n_bytes);
    for (size_t i = 0; i < v->n_bytes; i = next_place(i, v->n_bytes)) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= 1u << bit;
            (void)decode_copy(bytes, v->n_bytes);
            bytes[i] ^= 1u << bit;
        }
    }
}

static void no_flipped_bit_crashes_and_what_still_decodes_is_stable(void **state)
{
    vector_each("good", flip, NULL);
    vector_each("accepted", flip, NULL);
    vector_each("bad", flip, NULL);
}

/* --------------------------------------------------------------------------------------- tables */

static void check_table(const struct wire_table *table)
{
    uint32_t last = 0;

    assert_in_range(table->n_fields, 1, 64); /* the decoder keeps one bit for each */
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];

        assert_true(field->number > last); /* canonical order is that of the numbers */
        last = field->number;
        switch (field->kind) {
        case WIRE_U32:
        case WIRE_U64:
            break;
        case WIRE_BYTES:
            assert_int_equal(field->max_count, 0);
            assert_in_range(field->max_bytes, 1, WIRE_INLINE_BYTES_MAX);
            break;
        case WIRE_PART:
            assert_true(field->max_count > 0);
            assert_int_equal(field->stride, field->part->size);
            check_table(field->part);
            break;
        }
    }
}

static void every_table_keeps_to_what_the_codec_relies_on(void **state)
{
    for (size_t i = 0; i < wire_n_messages; i++) {
        check_table(wire_messages[i].table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_decodes_to_the_same_values),
        cmocka_unit_test(decoding_leaves_rows_past_the_count_alone),
        cmocka_unit_test(an_absent_byte_string_is_empty_and_may_be_copied),
        cmocka_unit_test(byte_strings_point_into_the_datagram),
        cmocka_unit_test(each_byte_string_may_be_as_long_as_its_limit_and_no_longer),
        cmocka_unit_test(each_list_may_be_as_long_as_its_limit_and_no_longer),
        cmocka_unit_test(a_message_of_64_kib_passes_and_one_byte_more_does_not),
        cmocka_unit_test(encoding_into_too_small_a_buffer_writes_nothing),
        cmocka_unit_test(encoding_refuses_what_decoding_would_refuse),
        cmocka_unit_test(a_fault_says_where_in_what_field_of_what_message),
        cmocka_unit_test(every_outcome_has_a_text_of_its_own),
        cmocka_unit_test(no_vector_decodes_when_it_is_cut_short),
        cmocka_unit_test(no_flipped_bit_crashes_and_what_still_decodes_is_stable),
        cmocka_unit_test(every_table_keeps_to_what_the_codec_relies_on),
    };

    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}

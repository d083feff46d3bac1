/* The golden vectors: what they say is what the codec does, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "frame_tools.h"
#include "testing.h"
#include "vector.h"

static struct wire_frame frame;
static uint8_t encoded[WIRE_MESSAGE_BYTES_MAX];

static void decode_ok(const struct vector *v)
{
    struct wire_fault fault;
    int r = wire_decode(&frame, v->bytes, v->n_bytes, &fault);

    if (r) {
        fail_msg("%s/%s: %s at %zu, field %s", v->group, v->name, wire_outcome_text(r),
                 fault.offset, fault.field ? fault.field : "-");
    }
}

static void encodes_to(const struct vector *v, const uint8_t *bytes, size_t n_bytes)
{
    size_t n = 0;
    int r = wire_encode(frame.type, frame_message(&frame), encoded, sizeof(encoded), &n);

    if (r || n != n_bytes || memcmp(encoded, bytes, n) != 0) {
        fail_msg("%s/%s: encodes to other bytes (%d, %zu instead of %zu)", v->group, v->name, r, n,
                 n_bytes);
    }
}

static void check_good(const struct vector *v, void *userdata)
{
    const char *name;

    decode_ok(v);
    name = frame_layout(frame.type)->table->name;
    if (strncmp(v->name, name, strlen(name)) != 0 || v->name[strlen(name)] != '/') {
        fail_msg("%s/%s: is a message %s", v->group, v->name, name);
    }
    encodes_to(v, v->bytes, v->n_bytes);
}

static void every_good_vector_decodes_and_encodes_to_the_same_bytes(void **state)
{
    assert_true(vector_each("good", check_good, NULL) > 0);
}

static void check_accepted(const struct vector *v, void *userdata)
{
    decode_ok(v);
    encodes_to(v, v->becomes, v->n_becomes);
}

static void every_accepted_vector_encodes_to_its_canonical_form(void **state)
{
    assert_true(vector_each("accepted", check_accepted, NULL) > 0);
}

static void check_bad(const struct vector *v, void *userdata)
{
    struct wire_fault fault;
    int expected = vector_outcome(v->outcome);
    int r = wire_decode(&frame, v->bytes, v->n_bytes, &fault);

    if (expected == 0 || r != expected) {
        fail_msg("bad/%s: %s (%d) instead of %s", v->name, wire_outcome_text(r), r, v->outcome);
    }
    if (strcmp(fault.field ? fault.field : "", v->field) != 0) {
        fail_msg("bad/%s: names field '%s' instead of '%s'", v->name,
                 fault.field ? fault.field : "", v->field);
    }
    assert_true(fault.offset <= v->n_bytes);
    assert_int_equal(frame.type, WIRE_TYPE_NONE);
}

static void every_bad_vector_is_refused_with_its_outcome_and_field(void **state)
{
    assert_true(vector_each("bad", check_bad, NULL) > 0);
}

static void count_good(const struct vector *v, void *userdata)
{
    size_t *counts = userdata;

    decode_ok(v);
    for (size_t i = 0; i < wire_n_messages; i++) {
        counts[i] += wire_messages[i].type == frame.type;
    }
}

static void every_message_has_a_good_vector(void **state)
{
    size_t counts[128] = {0};

    assert_true(wire_n_messages <= 128);
    vector_each("good", count_good, counts);
    for (size_t i = 0; i < wire_n_messages; i++) {
        if (counts[i] == 0) {
            fail_msg("message %s has no vector", wire_messages[i].table->name);
        }
    }
}

static void count_bad(const struct vector *v, void *userdata)
{
    ((size_t *)userdata)[vector_outcome(v->outcome)]++;
}

static void every_outcome_of_decoding_has_a_bad_vector(void **state)
{
    size_t counts[WIRE_E_NO_SPACE + 1] = {0};

    vector_each("bad", count_bad, counts);
    for (int i = 1; i <= WIRE_E_NO_SPACE; i++) {
        if (i != WIRE_E_NO_SPACE && counts[i] == 0) { /* that one is encoding's alone */
            fail_msg("no vector for outcome %d: %s", i, wire_outcome_text(i));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_good_vector_decodes_and_encodes_to_the_same_bytes),
        cmocka_unit_test(every_accepted_vector_encodes_to_its_canonical_form),
        cmocka_unit_test(every_bad_vector_is_refused_with_its_outcome_and_field),
        cmocka_unit_test(every_message_has_a_good_vector),
        cmocka_unit_test(every_outcome_of_decoding_has_a_bad_vector),
    };

    return cmocka_run_group_tests_name("wire vectors", tests, NULL, NULL);
}

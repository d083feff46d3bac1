/*
 * The wire codec: protobuf's wire format, driven by the tables that tools/gen_registry writes.
 *
 * It is the one piece of code that turns bytes of a stranger into numbers, in the client, in the
 * broker and in every worker, so it promises more than a protobuf library does (SPEC 2):
 *
 * - It reads through `struct reader` alone, whose error sticks.
 * - It allocates nothing, keeps no state, and its depth is that of the tables, not of the input.
 * - It writes only the scalar fields and counts of the one message that is there, and clears a row
 *   as it is appended: a frame is tens of kilobytes, clearing it would cost more than decoding.
 * - One message has one meaning: shortest varints, no field twice, nothing after the message.
 * - What it encodes is canonical, and what it decoded it can encode again.
 *
 * Encoding measures first, and checks every limit while it does; writing then cannot fail.
 *
 * Not here: which message is allowed when (the broker's connection states), what numbers mean, and
 * whether enum values are known: unknown ones are kept, since they may be newer than we are.
 */
#include "wire/codec.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "wire/reader.h"
#include "wire/table.h"

/* What an empty byte string points at, so that it can be given to memcpy() like any other. */
static const uint8_t no_bytes[1];

static const struct wire_message *message_of(uint32_t type)
{
    for (size_t i = 0; i < wire_n_messages; i++) {
        if ((uint32_t)wire_messages[i].type == type) {
            return &wire_messages[i];
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------ decoding */

static size_t *count_of(void *object, const struct wire_field *field)
{
    return (size_t *)((char *)object + field->count_offset);
}

/* Clears numbers, byte strings and counts: all that says what is there. Rows stay as they are. */
static void clear(const struct wire_table *table, void *object)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];
        void *value = (char *)object + field->offset;

        if (field->max_count) {
            *count_of(object, field) = 0;
        } else if (field->kind == WIRE_U32) {
            *(uint32_t *)value = 0;
        } else if (field->kind == WIRE_U64) {
            *(uint64_t *)value = 0;
        } else if (field->kind == WIRE_BYTES) {
            *(struct wire_bytes *)value = (struct wire_bytes){.data = no_bytes};
        }
    }
}

/* Tables are in order of number (the generator refuses others) and fields mostly come so, too: the
 * search starts after the last one found. A stranger may send twenty thousand fields that we do not
 * know, each of which walks the table, so a step must cost no more than a comparison. */
static const struct wire_field *find_field(const struct wire_table *table, uint32_t number,
                                           size_t *hint)
{
    size_t i = *hint > 0 && table->fields[*hint - 1].number < number ? *hint : 0;

    while (i < table->n_fields && table->fields[i].number < number) {
        i++;
    }
    if (i == table->n_fields || table->fields[i].number != number) {
        return NULL;
    }
    *hint = i + 1;
    return &table->fields[i];
}

/* Place for one more row, or NULL with the reader failed. */
static void *append(struct reader *in, const struct wire_field *field, void *object)
{
    size_t *count = count_of(object, field);

    if (*count >= field->max_count) {
        reader_fail(in, WIRE_E_TOO_MANY);
        return NULL;
    }
    return (char *)object + field->offset + (*count)++ * field->stride;
}

static void read_number(struct reader *in, const struct wire_field *field, void *value)
{
    if (field->kind == WIRE_U64) {
        *(uint64_t *)value = reader_u64(in);
    } else {
        size_t start = in->at;
        uint32_t number = reader_u32(in);

        if (field->known_flags && (number & ~field->known_flags)) {
            in->at = start;
            reader_fail(in, WIRE_E_FLAGS);
        }
        *(uint32_t *)value = number;
    }
}

/* Numbers of a repeated field: all in one span, as we write them, or one by one as some others do.
 */
static void read_numbers(struct reader *in, const struct wire_field *field, void *object,
                         unsigned int type)
{
    struct reader span;
    void *value;

    if (type == READER_VARINT) {
        value = append(in, field, object);
        if (value) {
            read_number(in, field, value);
        }
        return;
    }
    span = reader_span(in);
    while (reader_left(&span) > 0) {
        value = append(&span, field, object);
        if (value) {
            read_number(&span, field, value);
        }
    }
    reader_close(in, &span);
}

static void read_bytes(struct reader *in, const struct wire_field *field, void *object)
{
    struct wire_bytes *bytes = (struct wire_bytes *)((char *)object + field->offset);
    size_t start = in->at;
    struct reader span = reader_span(in);

    if (in->outcome) {
        return;
    }
    if (span.end - span.at > field->max_bytes) {
        in->at = start;
        reader_fail(in, WIRE_E_TOO_LONG);
        return;
    }
    if (span.end > span.at) {
        bytes->data = in->base + span.at;
        bytes->size = span.end - span.at;
    }
}

static void read_struct(struct reader *in, const struct wire_table *table, void *object);

static void read_part(struct reader *in, const struct wire_field *field, void *object)
{
    struct reader span = reader_span(in);
    void *row = in->outcome ? NULL : append(in, field, object);

    if (row) {
        span.field = NULL;
        read_struct(&span, field->part, row);
        reader_close(in, &span);
    }
}

static void read_field(struct reader *in, const struct wire_field *field, void *object,
                       unsigned int type)
{
    bool is_number = field->kind == WIRE_U32 || field->kind == WIRE_U64;
    bool is_packed = is_number && field->max_count && type == READER_SPAN;

    if (type != (is_number ? READER_VARINT : READER_SPAN) && !is_packed) {
        reader_skip(in, type); /* a group is worse than a wrong type */
        reader_fail(in, WIRE_E_TYPE);
        return;
    }
    switch (field->kind) {
    case WIRE_U32:
    case WIRE_U64:
        if (field->max_count) {
            read_numbers(in, field, object, type);
        } else {
            read_number(in, field, (char *)object + field->offset);
        }
        break;
    case WIRE_BYTES:
        read_bytes(in, field, object);
        break;
    case WIRE_PART:
        read_part(in, field, object);
        break;
    }
}

static void read_struct(struct reader *in, const struct wire_table *table, void *object)
{
    uint64_t seen = 0; /* a table has at most 64 fields; the generator refuses more */
    size_t hint = 0;

    clear(table, object);
    while (reader_left(in) > 0) {
        size_t start = in->at;
        unsigned int type;
        uint32_t number = reader_tag(in, &type);
        const struct wire_field *field = in->outcome ? NULL : find_field(table, number, &hint);

        if (in->outcome) {
            return;
        }
        if (!field) {
            reader_skip(in, type);
            continue;
        }
        in->field = field->name;
        if (!field->max_count) {
            uint64_t bit = UINT64_C(1) << (field - table->fields);

            if (seen & bit) {
                in->at = start;
                reader_fail(in, WIRE_E_TWICE);
                return;
            }
            seen |= bit;
        }
        read_field(in, field, object, type);
        if (!in->outcome) {
            in->field = NULL;
        }
    }
}

/* The frame around the message: one field, which is all of the datagram. */
static const struct wire_message *read_frame(struct reader *in, struct reader *ret_body,
                                             uint32_t *ret_number)
{
    const struct wire_message *message;
    unsigned int type;
    uint32_t number = reader_tag(in, &type);

    if (in->outcome) {
        return NULL;
    }
    *ret_number = number;
    message = message_of(number);
    if (type != READER_SPAN) {
        reader_fail(in, message ? WIRE_E_TYPE : WIRE_E_FRAME);
        return NULL;
    }
    *ret_body = reader_span(in);
    if (reader_left(in) > 0) {
        reader_fail(in, WIRE_E_FRAME);
    } else if (!message) {
        reader_fail(in, WIRE_E_UNKNOWN_TYPE);
    }
    return in->outcome ? NULL : message;
}

int wire_decode(struct wire_frame *ret_frame, const void *bytes, size_t n_bytes,
                struct wire_fault *ret_fault)
{
    struct reader in = {.base = bytes, .end = n_bytes};
    struct reader body;
    const struct wire_message *message = NULL;
    uint32_t number = 0;

    ret_frame->type = WIRE_TYPE_NONE;
    if (n_bytes > WIRE_MESSAGE_BYTES_MAX) {
        reader_fail(&in, WIRE_E_TOO_LONG);
    } else if (n_bytes == 0) {
        reader_fail(&in, WIRE_E_FRAME);
    } else {
        message = read_frame(&in, &body, &number);
    }
    if (message) {
        read_struct(&body, message->table, (char *)ret_frame + message->offset);
        reader_close(&in, &body);
    }
    if (!in.outcome) {
        ret_frame->type = message->type;
    }
    if (ret_fault) {
        *ret_fault = (struct wire_fault){.offset = in.at, .type = number, .field = in.field};
    }
    return in.outcome;
}

/* ----------------------------------------------------------------------------------- measuring */

static size_t size_of_varint(uint64_t value)
{
    size_t n = 1;

    while (value >>= 7) {
        n++;
    }
    return n;
}

static size_t size_of_tag(const struct wire_field *field)
{
    return size_of_varint((uint64_t)field->number << 3);
}

static size_t size_of_span(const struct wire_field *field, size_t n)
{
    return size_of_tag(field) + size_of_varint(n) + n;
}

static uint64_t number_at(const struct wire_field *field, const void *value)
{
    return field->kind == WIRE_U64 ? *(const uint64_t *)value : *(const uint32_t *)value;
}

static size_t count_at(const struct wire_field *field, const void *object)
{
    return *(const size_t *)((const char *)object + field->count_offset);
}

static const void *row_at(const struct wire_field *field, const void *object, size_t i)
{
    return (const char *)object + field->offset + i * field->stride;
}

static size_t size_of_numbers(const struct wire_field *field, const void *object)
{
    size_t size = 0;

    for (size_t i = 0; i < count_at(field, object); i++) {
        size += size_of_varint(number_at(field, row_at(field, object, i)));
    }
    return size;
}

/* Bytes of a struct without tag and length. Meets a limit that is passed: sets *outcome. */
static size_t size_of_struct(const struct wire_table *table, const void *object, int *outcome)
{
    size_t size = 0;

    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];
        const void *value = (const char *)object + field->offset;

        if (field->max_count && count_at(field, object) > field->max_count) {
            *outcome = WIRE_E_TOO_MANY;
            return 0;
        }
        if (field->kind == WIRE_PART) {
            for (size_t k = 0; k < count_at(field, object); k++) {
                size += size_of_span(
                    field, size_of_struct(field->part, row_at(field, object, k), outcome));
            }
        } else if (field->kind == WIRE_BYTES) {
            const struct wire_bytes *bytes = value;

            if (bytes->size > field->max_bytes) {
                *outcome = WIRE_E_TOO_LONG;
                return 0;
            }
            size += bytes->size ? size_of_span(field, bytes->size) : 0;
        } else if (field->max_count) {
            size +=
                count_at(field, object) ? size_of_span(field, size_of_numbers(field, object)) : 0;
        } else if (number_at(field, value)) {
            if (field->known_flags && (number_at(field, value) & ~(uint64_t)field->known_flags)) {
                *outcome = WIRE_E_FLAGS;
                return 0;
            }
            size += size_of_tag(field) + size_of_varint(number_at(field, value));
        }
    }
    return size;
}

/* ------------------------------------------------------------------------------------- writing */

struct writer {
    uint8_t *at;
    uint8_t *end;
};

static void write_varint(struct writer *out, uint64_t value)
{
    assert((size_t)(out->end - out->at) >= size_of_varint(value));
    while (value >= 0x80) {
        *out->at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out->at++ = (uint8_t)value;
}

static void write_tag(struct writer *out, uint32_t number, unsigned int type)
{
    write_varint(out, (uint64_t)number << 3 | type);
}

static void write_bytes(struct writer *out, const struct wire_bytes *bytes)
{
    assert((size_t)(out->end - out->at) >= bytes->size);
    memcpy(out->at, bytes->data, bytes->size);
    out->at += bytes->size;
}

static void write_struct(struct writer *out, const struct wire_table *table, const void *object);

static void write_rows(struct writer *out, const struct wire_field *field, const void *object)
{
    for (size_t i = 0; i < count_at(field, object); i++) {
        const void *row = row_at(field, object, i);
        int outcome = 0;

        write_tag(out, field->number, READER_SPAN);
        write_varint(out, size_of_struct(field->part, row, &outcome));
        write_struct(out, field->part, row);
    }
}

static void write_numbers(struct writer *out, const struct wire_field *field, const void *object)
{
    size_t n = count_at(field, object);

    if (n) {
        write_tag(out, field->number, READER_SPAN);
        write_varint(out, size_of_numbers(field, object));
    }
    for (size_t i = 0; i < n; i++) {
        write_varint(out, number_at(field, row_at(field, object, i)));
    }
}

static void write_struct(struct writer *out, const struct wire_table *table, const void *object)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];
        const void *value = (const char *)object + field->offset;

        if (field->kind == WIRE_PART) {
            write_rows(out, field, object);
        } else if (field->kind == WIRE_BYTES) {
            const struct wire_bytes *bytes = value;

            if (bytes->size) {
                write_tag(out, field->number, READER_SPAN);
                write_varint(out, bytes->size);
                write_bytes(out, bytes);
            }
        } else if (field->max_count) {
            write_numbers(out, field, object);
        } else if (number_at(field, value)) {
            write_tag(out, field->number, READER_VARINT);
            write_varint(out, number_at(field, value));
        }
    }
}

int wire_encode(enum wire_type type, const void *message, void *buffer, size_t n_buffer,
                size_t *ret_n_bytes)
{
    const struct wire_message *layout = message_of(type);
    struct writer out = {.at = buffer, .end = (uint8_t *)buffer + n_buffer};
    size_t size, total;
    int outcome = 0;

    if (!layout) {
        return WIRE_E_UNKNOWN_TYPE;
    }
    size = size_of_struct(layout->table, message, &outcome);
    if (outcome) {
        return outcome;
    }
    total = size_of_varint((uint64_t)type << 3) + size_of_varint(size) + size;
    if (total > n_buffer) {
        return WIRE_E_NO_SPACE;
    }
    if (total > WIRE_MESSAGE_BYTES_MAX) {
        return WIRE_E_TOO_LONG;
    }
    write_tag(&out, type, READER_SPAN);
    write_varint(&out, size);
    write_struct(&out, layout->table, message);
    *ret_n_bytes = (size_t)(out.at - (uint8_t *)buffer);
    assert(*ret_n_bytes == total);
    return 0;
}

/* --------------------------------------------------------------------------------------- words */

const char *wire_outcome_text(int outcome)
{
    if (outcome == 0) {
        return "a message";
    }
    switch ((enum wire_outcome)outcome) {
    case WIRE_E_TRUNCATED:
        return "ends inside a field";
    case WIRE_E_VARINT:
        return "number too large or not in its shortest form";
    case WIRE_E_TAG:
        return "not a field: number 0, tag too long, or a group";
    case WIRE_E_TYPE:
        return "field of the wrong wire type";
    case WIRE_E_TOO_LONG:
        return "byte string or message over its limit";
    case WIRE_E_TOO_MANY:
        return "more rows than allowed";
    case WIRE_E_TWICE:
        return "field more than once";
    case WIRE_E_FLAGS:
        return "unknown flag";
    case WIRE_E_UNKNOWN_TYPE:
        return "unknown message type";
    case WIRE_E_FRAME:
        return "not exactly one message";
    case WIRE_E_NO_SPACE:
        return "does not fit the buffer";
    }
    return "unknown outcome";
}

struct wire_bytes wire_text(const char *text)
{
    if (!text) {
        return (struct wire_bytes){.data = no_bytes};
    }
    return (struct wire_bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

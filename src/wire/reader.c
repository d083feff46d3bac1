/*
 * Reads numbers, tags and spans of protobuf's wire format, one fault at most.
 *
 * Promises: never reads at or past `end`; the cursor never moves back but onto the start of what
 * was at fault; a number has one spelling only (SPEC 2.2). A span lies inside of what it was read
 * from, so that no length can reach out of its own message.
 *
 * Not here: what fields mean, limits, and the order in which they come (codec.c).
 */
#include "wire/reader.h"

#include <assert.h>

#include "wire/codec.h"

#define VARINT_BYTES_MAX 10
#define TAG_BYTES_MAX    5
#define FIELD_NUMBER_MAX ((1u << 29) - 1)

void reader_fail(struct reader *reader, int outcome)
{
    if (!reader->outcome) {
        reader->outcome = outcome;
    }
}

size_t reader_left(const struct reader *reader)
{
    return reader->outcome ? 0 : reader->end - reader->at;
}

/*
 * Reads a number of at most `max_bytes` bytes that must be written in its shortest form. On a fault
 * the cursor stays at its first byte, for the error text.
 */
static uint64_t read_varint(struct reader *reader, size_t max_bytes, int too_long)
{
    uint64_t value = 0;
    size_t left = reader_left(reader);

    if (reader->outcome) {
        return 0;
    }
    for (size_t i = 0; i < max_bytes; i++) {
        uint8_t byte;

        if (i == left) {
            reader_fail(reader, WIRE_E_TRUNCATED);
            return 0;
        }
        byte = reader->base[reader->at + i];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1) {
            break; /* the tenth byte holds only bit 63 */
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80) {
            continue;
        }
        if (byte == 0 && i > 0) {
            reader_fail(reader, WIRE_E_VARINT); /* a last byte of zero adds nothing */
            return 0;
        }
        reader->at += i + 1;
        return value;
    }
    reader_fail(reader, too_long);
    return 0;
}

uint64_t reader_u64(struct reader *reader)
{
    return read_varint(reader, VARINT_BYTES_MAX, WIRE_E_VARINT);
}

uint32_t reader_u32(struct reader *reader)
{
    size_t start = reader->at;
    uint64_t value = reader_u64(reader);

    if (value > UINT32_MAX) {
        reader->at = start;
        reader_fail(reader, WIRE_E_VARINT);
        return 0;
    }
    return (uint32_t)value;
}

uint32_t reader_tag(struct reader *reader, unsigned int *ret_type)
{
    size_t start = reader->at;
    uint64_t tag = read_varint(reader, TAG_BYTES_MAX, WIRE_E_TAG);
    uint32_t number = (uint32_t)(tag >> 3) & FIELD_NUMBER_MAX;

    *ret_type = tag & 7;
    if (!reader->outcome && (tag > UINT32_MAX || number == 0)) {
        reader->at = start;
        reader_fail(reader, WIRE_E_TAG);
    }
    return reader->outcome ? 0 : number;
}

struct reader reader_span(struct reader *reader)
{
    size_t start = reader->at;
    uint64_t size = reader_u64(reader);
    struct reader span = {
        .base = reader->base, .at = reader->at, .end = reader->at, .field = reader->field};

    if (size > reader_left(reader)) {
        reader->at = start;
        reader_fail(reader, WIRE_E_TRUNCATED);
    }
    if (!reader->outcome) {
        span.end = reader->at + (size_t)size;
        reader->at = span.end;
    }
    span.outcome = reader->outcome;
    return span;
}

void reader_close(struct reader *reader, const struct reader *span)
{
    if (span->outcome && !reader->outcome) {
        reader->at = span->at;
        reader->field = span->field;
        reader_fail(reader, span->outcome);
    }
    assert(span->outcome || span->at == span->end);
}

static void skip_bytes(struct reader *reader, size_t n)
{
    if (reader_left(reader) < n) {
        reader_fail(reader, WIRE_E_TRUNCATED);
        return;
    }
    reader->at += n;
}

/* A peer may be newer than we are, not sloppier. */
void reader_skip(struct reader *reader, unsigned int type)
{
    switch (type) {
    case READER_VARINT:
        (void)reader_u64(reader);
        break;
    case READER_FIXED64:
        skip_bytes(reader, 8);
        break;
    case READER_SPAN:
        (void)reader_span(reader);
        break;
    case READER_FIXED32:
        skip_bytes(reader, 4);
        break;
    default:
        reader_fail(reader, WIRE_E_TAG);
        break;
    }
}

/*
 * Bytes of a stranger, read as protobuf's wire format (SPEC 2.2): numbers, tags, spans.
 *
 * The first fault sticks. After it every read yields zero and nothing moves, so that a caller may
 * check once, at the end, and can never go on with half a number. `at` then says where it was.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *base; /* of the datagram, also in a reader of a part of it */
    size_t at;
    size_t end;
    int outcome;       /* first WIRE_E_*, or 0 */
    const char *field; /* being read, for the fault; set by whoever knows */
};

#define READER_INIT(bytes, n_bytes) ((struct reader){.base = (bytes), .end = (n_bytes)})

/* The wire types of protobuf. 3 and 4 are groups, 6 and 7 do not exist. */
enum reader_type {
    READER_VARINT = 0,
    READER_FIXED64 = 1,
    READER_SPAN = 2,
    READER_FIXED32 = 5,
};

void reader_fail(struct reader *reader, int outcome);

/* Bytes still to read; 0 after a fault. */
size_t reader_left(const struct reader *reader);

/* A number in its shortest form. */
uint64_t reader_u64(struct reader *reader);
uint32_t reader_u32(struct reader *reader);

/* A field's number, never 0 but after a fault, and its wire type, which may be any of 0 to 7. */
uint32_t reader_tag(struct reader *reader, unsigned int *ret_type);

/* A length and as many bytes: a reader of just these, which starts with the outer one's fault. */
struct reader reader_span(struct reader *reader);

/* Ends a span, which must be used up, and hands its fault to the outer reader. */
void reader_close(struct reader *reader, const struct reader *span);

/* Skips the value of a field that is not known. It must still be one. */
void reader_skip(struct reader *reader, unsigned int type);

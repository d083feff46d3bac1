/* How a message is laid out: the codec walks these tables, tools/gen_registry writes them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/messages.h"

enum wire_kind {
    WIRE_U32 = 1, /* varint; a value over 2^32 - 1 is an error */
    WIRE_U64 = 2, /* varint */
    WIRE_BYTES = 3,
    WIRE_PART = 4, /* nested struct */
};

struct wire_table;

struct wire_field {
    uint32_t number;
    enum wire_kind kind;
    uint32_t max_bytes;   /* WIRE_BYTES: greatest length */
    uint32_t max_count;   /* 0: not repeated */
    uint32_t known_flags; /* not 0: any other bit is an error */
    size_t offset;        /* of the value, or of the array */
    size_t count_offset;  /* of the size_t count, if repeated */
    size_t stride;        /* of one array element */
    const struct wire_table *part;
    const char *name; /* for error texts */
};

struct wire_table {
    const char *name;
    const struct wire_field *fields;
    size_t n_fields;
    size_t size; /* of the struct */
};

struct wire_message {
    enum wire_type type;
    const struct wire_table *table;
    size_t offset; /* in struct wire_frame */
};

extern const struct wire_message wire_messages[];
extern const size_t wire_n_messages;

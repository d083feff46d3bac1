/*
 * Messages to bytes and back. Allocates nothing, does no I/O, keeps no state.
 *
 * protocol/SPEC.md 2 is what is implemented here; the layout comes from the tables.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "wire/messages.h"

#define WIRE_MESSAGE_BYTES_MAX 65536u
#define WIRE_INLINE_BYTES_MAX  32768u
#define WIRE_RESULT_BYTES_MAX  8192u

/* Why bytes are not a message. */
enum wire_outcome {
    WIRE_E_TRUNCATED = 1,    /* ends inside a field */
    WIRE_E_VARINT = 2,       /* number longer than its type, or not in its shortest form */
    WIRE_E_TAG = 3,          /* field number 0, tag over 5 bytes, or a group */
    WIRE_E_TYPE = 4,         /* a known field of the wrong wire type */
    WIRE_E_TOO_LONG = 5,     /* byte string or message over its limit */
    WIRE_E_TOO_MANY = 6,     /* repeated field over its limit */
    WIRE_E_TWICE = 7,        /* a single field more than once */
    WIRE_E_FLAGS = 8,        /* an unknown flag */
    WIRE_E_UNKNOWN_TYPE = 9, /* no such message; the type is given in the fault */
    WIRE_E_FRAME = 10,       /* not exactly one message in the datagram */
    WIRE_E_NO_SPACE = 11,    /* encoding: does not fit the buffer */
};

/* Where decoding stopped. */
struct wire_fault {
    size_t offset;     /* into the datagram */
    uint32_t type;     /* message type, or 0 */
    const char *field; /* static name of the field, or NULL */
};

/*
 * Decodes one datagram. Byte strings in `ret_frame` point into `bytes`. Only the scalar fields and
 * counts of the one message are written: array elements past the count hold garbage. Returns 0 or a
 * positive WIRE_E_*.
 */
MUST_CHECK int wire_decode(struct wire_frame *ret_frame, const void *bytes, size_t n_bytes,
                           struct wire_fault *ret_fault);

/*
 * Encodes one message, `message` being the struct of that type, into at most WIRE_MESSAGE_BYTES_MAX
 * bytes. Canonical: fields in order of number, shortest varints, nothing that is zero or empty.
 * Returns 0, WIRE_E_NO_SPACE, or WIRE_E_TOO_LONG / WIRE_E_TOO_MANY / WIRE_E_FLAGS for a message
 * over its own limits.
 */
MUST_CHECK int wire_encode(enum wire_type type, const void *message, void *buffer, size_t n_buffer,
                           size_t *ret_n_bytes);

/* The outcome in words, static. */
const char *wire_outcome_text(int outcome);

/* Bytes from a terminated string; borrows it. */
struct wire_bytes wire_text(const char *text);

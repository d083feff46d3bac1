/*
 * Decoding: any bytes, to our codec and to protobuf-c.
 *
 * What we take, protobuf-c must take and understand the same. What we refuse and protobuf-c takes
 * must be refused for a rule that is stricter than protobuf's (SPEC 2.2), never because we misread
 * it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "protobuf_twin.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

/* A tag of five bytes or more; protobuf-c cuts its number to 29 bits. */
static bool is_long_tag(const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < 4; i++) {
        if (i >= n_bytes || !(bytes[i] & 0x80)) {
            return false;
        }
    }
    return true;
}

static bool is_stricter_rule(int outcome, const uint8_t *bytes, size_t n_bytes)
{
    switch ((enum wire_outcome)outcome) {
    case WIRE_E_VARINT:       /* padded, or cut to 32 bits */
    case WIRE_E_TOO_LONG:     /* our limits */
    case WIRE_E_TOO_MANY:     /* our limits */
    case WIRE_E_TWICE:        /* the last one wins there */
    case WIRE_E_FLAGS:        /* only a number there */
    case WIRE_E_UNKNOWN_TYPE: /* skipped there, as any field */
    case WIRE_E_FRAME:        /* none or several are fine there */
        return true;
    case WIRE_E_TAG:
        return is_long_tag(bytes, n_bytes);
    case WIRE_E_TRUNCATED:
    case WIRE_E_TYPE:
    case WIRE_E_NO_SPACE:
        return false;
    }
    return false;
}

static void fail(const char *what, int outcome, const struct wire_fault *fault)
{
    fprintf(stderr, "%s: %s at %zu, type %u, field %s\n", what, wire_outcome_text(outcome),
            fault->offset, fault->type, fault->field ? fault->field : "-");
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct wire_frame frame;
    struct wire_fault fault;
    int r = wire_decode(&frame, bytes, n_bytes, &fault);
    Pes__Frame *theirs = pes__frame__unpack(NULL, n_bytes, bytes);

    if (r == 0 && !theirs) {
        fail("protobuf-c refuses what we take", r, &fault);
    }
    if (r == 0 && !twin_equal(&frame, theirs)) {
        fail("protobuf-c understands something else", r, &fault);
    }
    if (r != 0 && theirs && !is_stricter_rule(r, bytes + fault.offset, n_bytes - fault.offset)) {
        fail("protobuf-c takes what we refuse", r, &fault);
    }
    if (theirs) {
        pes__frame__free_unpacked(theirs, NULL);
    }
    if (r == 0) {
        twin_check_round_trip(&frame);
    }
    return 0;
}

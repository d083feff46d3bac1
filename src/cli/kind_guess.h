/* Which kind a file is asked under when nobody said: from its bytes, else from its name. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How much of both ends of a file the guess looks at. */
#define KIND_GUESS_HEAD_BYTES ((size_t)16 * 1024)
#define KIND_GUESS_TAIL_BYTES ((size_t)16 * 1024)

struct kind_sample {
    const char *name; /* file name or path; may be NULL */
    const void *head; /* first bytes */
    size_t n_head;
    const void *tail; /* last bytes; may be the same as the head */
    size_t n_tail;
};

/* Return: enum pes_kind, never PES_KIND_NONE. */
uint32_t kind_guess(const struct kind_sample *sample);

/* The bytes of one question: inline in its message, or in a memfd that came with it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "wire/codec.h"

struct content {
    const uint8_t *bytes; /* never NULL */
    size_t n_bytes;
    void *mapping; /* or NULL */
};

#define CONTENT_INIT                                                                               \
    {                                                                                              \
        .bytes = (const uint8_t *)""                                                               \
    }

/* Takes the bytes of `scan`; `fd` is -1 when they are inline, and stays the caller's. Returns 0,
 * -EBADMSG when it is not what the question says or could still change, or -errno. */
MUST_CHECK int content_open(struct content *content, const struct wire_scan *scan, int fd);

void content_fini(struct content *content);

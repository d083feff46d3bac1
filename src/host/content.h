/* The bytes of one question: inline in its message, or in memfds that came with it. */
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

/* Takes the bytes of `scan`; `n_fds` is 0 when they are inline, and all `fds` stay the caller's.
 * Returns 0, -EBADMSG when it is not what the question says or could still change, or -errno. */
MUST_CHECK int content_open(struct content *content, const struct wire_scan *scan, const int *fds,
                            size_t n_fds);

void content_fini(struct content *content);

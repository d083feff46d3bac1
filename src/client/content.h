/* The bytes of a request: a private copy, or memory that the broker lent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum content_state {
    CONTENT_NONE = 0,
    CONTENT_INLINE, /* `bytes`; more than the inline limit only until there is memory for them */
    CONTENT_SHARED, /* `fd`, a sealed memfd */
    CONTENT_ROW,    /* `fds`, the sealed memfds of a stream */
    CONTENT_MISSED, /* not kept, for want of a broker: only its length is known */
};

struct content {
    enum content_state state;
    uint64_t n_bytes;
    uint8_t *bytes;
    int fd;
    int *fds; /* room for CONTENT_FDS_MAX */
    size_t n_fds;
};

/* As many as a broker takes, and the one that it is told by that there are too many. */
#define CONTENT_FDS_MAX 65

#define CONTENT_INIT                                                                               \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Frees what it holds and makes it CONTENT_NONE. */
void content_fini(struct content *content);

/* Copies `bytes` inline. Returns 0 or -ENOMEM. */
MUST_CHECK int content_copy(struct content *content, const void *bytes, size_t n_bytes);

/* Makes it a row, without memory yet. Returns 0 or -ENOMEM. */
MUST_CHECK int content_new_row(struct content *content);

#define CONTENT_E_CHANGED 1 /* the file got shorter or longer, or was written to */

/* Reads all of regular file `fd`, `n_bytes` long, inline. */
MUST_CHECK int content_copy_file(struct content *content, int fd, size_t n_bytes);

/* Where a memfd gets its bytes from. */
struct content_source {
    const uint8_t *bytes; /* or */
    int fd;               /* read from its start */
    uint64_t n_bytes;
};

/*
 * Fills `memfd` from `source`, with `buffer` to read a file through. Returns 0, -errno or
 * CONTENT_E_CHANGED when the source ends early.
 */
MUST_CHECK int content_fill(int memfd, const struct content_source *source, void *buffer,
                            size_t n_buffer);

/*
 * Keeps a private copy of `source`, for when there is no memory of the broker's yet. Returns as
 * content_fill().
 */
MUST_CHECK int content_keep(struct content *content, const struct content_source *source,
                            void *buffer, size_t n_buffer);

/* Write-seals it. Returns 0 or -errno. */
MUST_CHECK int content_seal(int memfd);

/* A sealed memfd of exactly the content's bytes; owned by the caller. Returns it, or -errno. */
MUST_CHECK int content_take_memfd(struct content *content);

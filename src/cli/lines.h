/* Cut a stream into lines, or into items that end in a zero byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* What lines_next() may answer besides 0 and a negative errno. */
enum lines_outcome {
    LINES_E_END = 1,      /* nothing is left */
    LINES_E_WAIT = 2,     /* nothing has arrived yet; poll the descriptor */
    LINES_E_TOO_LONG = 3, /* one line above the limit has passed; it counted */
};

struct lines {
    int fd;
    char separator;
    size_t max_bytes; /* longest line that is held */
    char *buffer;
    size_t n_allocated;
    size_t start;       /* first byte that was not given out */
    size_t end;         /* end of what was read */
    size_t n_searched;  /* bytes from start on that hold no separator */
    uint64_t ordinal;   /* number of the line that was given last */
    uint64_t n_skipped; /* bytes of a line above the limit that were let go; 0: not in one */
    bool is_at_end;
};

#define LINES_INIT                                                                                 \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* @fd becomes the lines'. */
void lines_init(struct lines *lines, int fd, char separator, size_t max_bytes);
void lines_fini(struct lines *lines);

/* Gives the next line without its separator; it is valid until the next call. The last one needs no
 * separator. With LINES_E_TOO_LONG *ret_n_bytes is its length. */
MUST_CHECK int lines_next(struct lines *lines, const char **ret_bytes, size_t *ret_n_bytes);

/* Whether reading @fd would not block. */
bool lines_is_readable(int fd);

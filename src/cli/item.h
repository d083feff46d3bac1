/* One thing to ask about: a whole file, all of standard input, or one line of either. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct item {
    char *name;       /* path as given or walked, any bytes; "-": standard input */
    uint64_t ordinal; /* 0: all of it; else which line, from 1 on */
    int fd;           /* the content, or -1 */
    char *bytes;      /* the content of a line, or NULL */
    size_t n_bytes;
    char *problem;      /* why it cannot be asked about, or NULL */
    int rest_fd;        /* a pipe with what comes after the content of fd, or -1 */
    uint64_t n_fed;     /* with a pipe: so much was passed on */
    bool is_copy;       /* fd is a copy in memory, not the file itself */
    bool is_too_large;  /* larger than we would ever hold; there is no content here */
    uint64_t full_size; /* its size as far as it is known */
};

#define ITEM_INIT                                                                                  \
    {                                                                                              \
        .fd = -1, .rest_fd = -1                                                                    \
    }

void item_fini(struct item *item);

/* Makes @item one that cannot be asked about, for the reason that an errno stands for. */
MUST_CHECK int item_fail_errno(struct item *item, int error);
MUST_CHECK int item_fail(struct item *item, const char *problem);

/* Take in a stream as a whole, in memory that can be asked about like a file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/* What spool_step() may answer besides 0 (complete) and a negative errno. */
enum spool_outcome {
    SPOOL_E_WAIT = 1,      /* nothing has arrived yet; poll the descriptor */
    SPOOL_E_TOO_LARGE = 2, /* it is larger than max_bytes; the rest of it is left unread */
};

struct spool {
    int fd;        /* what is read */
    int memory_fd; /* where it goes */
    uint64_t n_bytes;
    uint64_t max_bytes;
};

#define SPOOL_INIT                                                                                 \
    {                                                                                              \
        .fd = -1, .memory_fd = -1                                                                  \
    }

/* @fd becomes the spool's, also on failure. */
MUST_CHECK int spool_init(struct spool *spool, int fd, uint64_t max_bytes);
void spool_fini(struct spool *spool);
MUST_CHECK int spool_step(struct spool *spool);

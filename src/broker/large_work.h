/* What would hold up the loop: hashing large content, and closing it (freeing 100 MiB of pages
 * takes 11 ms). */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/sha256.h"

/* What is to be read: one piece of memory, or several in a row. */
struct large_row {
    const int *fds;
    size_t n_fds;
    uint64_t segment_bytes; /* length of all but the last */
    uint64_t n_bytes;       /* of all together */
};

struct large_job {
    struct large_job *next;
    bool is_close;
    int error;
    uint32_t handle;
    struct large_row row;
    uint64_t at; /* so much is hashed */
    struct sha256 hash;
    uint8_t digest[SHA256_DIGEST_BYTES];
    int fds[]; /* of the row; owned if is_close */
};

struct large_work {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct large_job *first_todo; /* lock */
    struct large_job *last_todo;  /* lock */
    struct large_job *done;       /* lock; hashes only */
    bool is_ending;               /* lock */
    int event_fd;                 /* readable while something is done */
};

/* Starts the thread; before the seccomp filter, which lets nobody start one. Returns 0 or
 * -errno. */
MUST_CHECK int large_work_init(struct large_work *work);

/* Ends the thread after its present job. */
void large_work_fini(struct large_work *work);

/* Hashes a row, whose descriptors must stay open. Returns 0 or -ENOMEM. */
MUST_CHECK int large_work_hash(struct large_work *work, uint32_t handle,
                               const struct large_row *row);

/* Closes `fd` sooner or later, right now if memory is short. */
void large_work_close(struct large_work *work, int fd);

/* Takes one finished hash, NULL when there is none. The caller frees it. */
struct large_job *large_work_take(struct large_work *work);

/* The digest of a row. Returns 0 or -errno. */
MUST_CHECK int large_work_digest(const struct large_row *row,
                                 uint8_t ret_digest[SHA256_DIGEST_BYTES]);

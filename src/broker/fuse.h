/* Content that ended a worker, kept so that it does not end another one for the same user. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

#define FUSE_ROWS        512
#define FUSE_ROWS_A_USER 64
#define FUSE_TIME_US     UINT64_C(600000000)

/* Who, what, and by which provider as it is now. */
struct fuse_key {
    uint32_t uid;
    uint32_t provider;                   /* its row */
    uint8_t digest[SHA256_DIGEST_BYTES]; /* of the content */
    uint8_t build[SHA256_DIGEST_BYTES];  /* of version and definitions */
};

struct fuse_row {
    struct fuse_key key;
    uint64_t until_us; /* 0: the row is free */
    uint32_t signal;   /* how the worker ended, as a part tells it */
    uint32_t exit_status;
    uint32_t limit;
};

struct fuse {
    size_t n_rows; /* in use, or past their time */
    struct fuse_row rows[FUSE_ROWS];
};

/* The content ended a worker. `how` tells by what; key and time are set here. */
void fuse_blow(struct fuse *fuse, const struct fuse_key *key, const struct fuse_row *how,
               uint64_t now_us);

/* What it did to a worker lately, or NULL. */
const struct fuse_row *fuse_find(const struct fuse *fuse, const struct fuse_key *key,
                                 uint64_t now_us);

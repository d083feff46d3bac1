/*
 * Content that ended a worker.
 *
 * A user who sends what crashed a worker once more is told so at once, for ten minutes, and no
 * worker is given to it. That holds for this user, this content and this version of provider and
 * definitions alone: another user's question is scanned, and so is everything after an update. So
 * nobody can make a provider blind for others, and a crash costs a worker once.
 *
 * Rows are bounded in all and per user: whoever has his full takes the place of his own oldest, and
 * never of another user's, as long as there are free ones.
 */
#include "broker/fuse.h"

#include <string.h>

static struct fuse_row *oldest_of(struct fuse *fuse, uint32_t uid, size_t *ret_n)
{
    struct fuse_row *oldest = NULL;

    *ret_n = 0;
    for (size_t i = 0; i < fuse->n_rows; i++) {
        struct fuse_row *row = &fuse->rows[i];

        if (row->key.uid == uid) {
            (*ret_n)++;
            oldest = !oldest || row->until_us < oldest->until_us ? row : oldest;
        }
    }
    return oldest;
}

/* A row that is free, or past its time, or was never used; or the oldest of all. */
static struct fuse_row *any_row(struct fuse *fuse, uint64_t now_us)
{
    struct fuse_row *oldest = &fuse->rows[0];

    for (size_t i = 0; i < fuse->n_rows; i++) {
        struct fuse_row *row = &fuse->rows[i];

        oldest = row->until_us < oldest->until_us ? row : oldest;
    }
    if (fuse->n_rows < FUSE_ROWS && (fuse->n_rows == 0 || oldest->until_us > now_us)) {
        return &fuse->rows[fuse->n_rows++];
    }
    return oldest;
}

void fuse_blow(struct fuse *fuse, const struct fuse_key *key, const struct fuse_row *how,
               uint64_t now_us)
{
    size_t n_rows;
    struct fuse_row *row = (struct fuse_row *)fuse_find(fuse, key, now_us);

    if (!row) {
        row = oldest_of(fuse, key->uid, &n_rows);
        if (n_rows < FUSE_ROWS_A_USER) {
            row = any_row(fuse, now_us);
        }
    }
    *row = *how;
    row->key = *key;
    row->until_us = now_us + FUSE_TIME_US;
}

const struct fuse_row *fuse_find(const struct fuse *fuse, const struct fuse_key *key,
                                 uint64_t now_us)
{
    for (size_t i = 0; i < fuse->n_rows; i++) {
        const struct fuse_row *row = &fuse->rows[i];

        if (row->key.uid == key->uid && row->key.provider == key->provider &&
            row->until_us > now_us &&
            memcmp(row->key.digest, key->digest, SHA256_DIGEST_BYTES) == 0 &&
            memcmp(row->key.build, key->build, SHA256_DIGEST_BYTES) == 0) {
            return row;
        }
    }
    return NULL;
}

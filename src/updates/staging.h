/* The folder that is filled for the next `pes definitions update`. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* As many as a version may have. */
#define STAGING_FILES_MAX  4096
#define STAGING_NAME_BYTES 256

struct staging {
    char path[PATH_MAX];
    int folder;
    int work; /* PATH/.work: what is fetched and not yet in its place */
    int lock;
    bool was_incomplete; /* nothing that is there may be relied on */
    size_t n_wanted;     /* what has to be there at the end; a file in work/ replaces what is */
    char (*wanted)[STAGING_NAME_BYTES];
};

#define STAGING_INIT                                                                               \
    {                                                                                              \
        .folder = -1, .work = -1, .lock = -1                                                       \
    }

/* Opens ROOT/NAME/staging, which has to be ours. Returns 0; or -errno, and why was told. */
MUST_CHECK int staging_open(struct staging *staging, const char *root, const char *name);
void staging_fini(struct staging *staging);

/* The file will be there in the end. Returns 0, -E2BIG or -ENAMETOOLONG. */
MUST_CHECK int staging_want(struct staging *staging, const char *name);

/* Whether it is there from an earlier run, and may stay as it is. */
bool staging_has(const struct staging *staging, const char *name);

/*
 * Puts what is in work/ into its place, and removes what is not wanted (any more). Returns 0 and
 * how many files changed; or -errno, and then the folder is marked as incomplete.
 */
MUST_CHECK int staging_publish(struct staging *staging, size_t *ret_n_changed);

/* All that is there is what the source had a moment ago. */
MUST_CHECK int staging_stamp(const struct staging *staging);

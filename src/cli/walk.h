/* Walk a folder and all below it: one entry per call, in the order of their names. */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* What walk_next() may answer besides 0 and -ENOMEM. */
enum walk_outcome {
    WALK_E_END = 1, /* nothing is left */
};

struct walk;

struct walk_entry {
    char *path;     /* owned by whoever gets the entry */
    int path_fd;    /* O_PATH descriptor of it, owned likewise; -1 with an error */
    struct stat st; /* of path_fd */
    int error;      /* 0, or the errno that kept it from being looked at */
};

#define WALK_ENTRY_INIT                                                                            \
    {                                                                                              \
        .path_fd = -1                                                                              \
    }

void walk_entry_fini(struct walk_entry *entry);

/* @dir_fd is an open folder and becomes the walk's, also when it fails. @path is how it was named.
 */
MUST_CHECK int walk_new(struct walk **ret_walk, int dir_fd, const char *path);
void walk_free(struct walk *walk);

/* Never gives a folder itself, but one that cannot be read comes as an entry with an error.
 * Symbolic links are given as what they are and never followed. */
MUST_CHECK int walk_next(struct walk *walk, struct walk_entry *ret_entry);

static inline void walk_freep(struct walk **walk)
{
    walk_free(*walk);
}

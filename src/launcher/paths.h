/* Where the programs, modules and data files are, told from where this program is. */
#pragma once

#include <limits.h>

#include "base/cleanup.h"

struct paths {
    char libexec[PATH_MAX];   /* pes-broker and its like */
    char providers[PATH_MAX]; /* modules */
    char share[PATH_MAX];     /* data files */
};

/* From /proc/self/exe. Returns 0 or -errno. */
MUST_CHECK int paths_init(struct paths *ret);

/* The same for a program at `exe`, which is absolute. */
MUST_CHECK int paths_init_from(struct paths *ret, const char *exe);

/* `folder`/`name`, or `name` itself when that is absolute. -ENAMETOOLONG if it does not fit. */
MUST_CHECK int paths_join(char ret[PATH_MAX], const char *folder, const char *name);

/* Starts one of our own programs, with exactly the descriptors and rights that it is given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define SPAWN_FDS_MAX 6

struct spawn {
    const char *program; /* absolute */
    char *const *argv;
    int fds[SPAWN_FDS_MAX]; /* inherited, under the same numbers, besides 0, 1 and 2 */
    size_t n_fds;
    bool sets_user; /* become this user and nothing more, but for these capabilities */
    uint32_t uid;
    uint32_t gid;
    uint64_t capabilities; /* bit per capability */
};

/*
 * Starts it; returns once exec() has happened or failed. 0, or -errno with `ret_step`, static,
 * saying what failed. The process is in a session of its own and dies when we do.
 */
MUST_CHECK int spawn_start(const struct spawn *spawn, pid_t *ret_pid, int *ret_pidfd,
                           const char **ret_step);

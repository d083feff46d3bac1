/* What is known about a process, read from /proc while it is held by a pidfd. */
#pragma once

#include <sys/types.h>

#include "ipc/identity_channel.h"

/*
 * Fills `ret` for the process of `pidfd`, or for `pid` when `pidfd` is -1 and no other process can
 * have that number meanwhile. version and session are the caller's. When nothing can be known,
 * error is set and everything else is zero: ESRCH, it has ended; EBADF, this is no pidfd.
 * `root` is the process that all of our own descend from, 0: not known.
 */
void process_record_read(struct identity_record *ret, int pidfd, pid_t pid, pid_t root);

/* How an attempt is written down: a function of one expression. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kit.h"

#define ATTEMPT(name, expression)                                                                  \
    static long name(void)                                                                         \
    {                                                                                              \
        return (long)(expression);                                                                 \
    }

/* Of calls that are younger than the headers; the numbers are the same everywhere. */
#define NR_PIDFD_GETFD       438
#define NR_OPENAT2           437
#define NR_PROCESS_MADVISE   440
#define NR_PROCESS_MRELEASE  448
#define NR_MEMFD_SECRET      447
#define NR_OPEN_TREE         428
#define NR_MOVE_MOUNT        429
#define NR_FSOPEN            430
#define NR_MOUNT_SETATTR     442
#define NR_FUTEX_WAITV       449
#define NR_LSM_SET_SELF_ATTR 460

/*
 * Forks with clone(CLONE_PARENT): the worker becomes a sibling of the zygote, a child of init, so
 * that init and not the provider learns how it died.
 *
 * libc has no such call, and a raw one leaves libc's idea of the thread id behind, which abort()
 * and recursive locks use. The kernel stores the new one there, as it does for fork(): libc told it
 * the address at start (set_tid_address(2)), and PR_GET_TID_ADDRESS gives it back. Kernels without
 * that (CONFIG_CHECKPOINT_RESTORE) do without; the process has one thread only.
 */
#include "host/fork_worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define CLONE_REST(tid) NULL, (tid), 0ul
#else
#define CLONE_REST(tid) NULL, 0ul, (tid)
#endif

static int *tid_address;

void fork_worker_prepare(void)
{
    if (prctl(PR_GET_TID_ADDRESS, &tid_address, 0, 0, 0) < 0) {
        tid_address = NULL;
    }
}

pid_t fork_worker(pid_t *ret_init)
{
    unsigned long flags = CLONE_PARENT | SIGCHLD;
    long pid;

    if (tid_address) {
        flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    }
    *ret_init = getppid();
    pid = syscall(SYS_clone, flags, NULL, CLONE_REST(tid_address));
    return pid < 0 ? (pid_t)-errno : (pid_t)pid;
}

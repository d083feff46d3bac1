/*
 * Puts a profile in force for the calling process. There is no way back; a second profile stacks
 * on the first, and a call must pass both.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

int sandbox_seccomp_apply(const struct seccomp_profile *profile)
{
    struct sock_filter program[SECCOMP_PROGRAM_MAX];
    struct sock_fprog fprog = {.filter = program};
    size_t n;
    int r;

    r = seccomp_filter_build(profile, program, SECCOMP_PROGRAM_MAX, &n);
    if (r < 0) {
        return r;
    }
    fprog.len = (unsigned short)n;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0) {
        /* A kernel without it says ENOSYS, one with filters switched off EINVAL. */
        return errno == ENOSYS || errno == EINVAL ? SANDBOX_E_ABSENT : -errno;
    }
    return 0;
}

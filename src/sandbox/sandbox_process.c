/*
 * The small switches of a process: no new rights, no core, no tracer, no capability, limits.
 */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

int sandbox_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int sandbox_not_dumpable(void)
{
    /* A limit of 0 is ignored when cores go to a program; 1 is the kernel's word for "none at all"
     * (core(5)). */
    struct rlimit none = {1, 1};

    if (setrlimit(RLIMIT_CORE, &none) < 0) {
        struct rlimit now;

        /* It was 0 already, and only root may raise it to 1. */
        if (getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_max != 0) {
            return -errno;
        }
    }
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

int sandbox_die_with_parent(void)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;
}

int sandbox_die_with(pid_t parent)
{
    int r = sandbox_die_with_parent();

    if (r < 0) {
        return r;
    }
    return getppid() == parent ? 0 : -ESRCH;
}

int sandbox_drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    for (unsigned long cap = 0; cap < 64; cap++) {
        /* EINVAL past the last one, EPERM when we have none to begin with. */
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL && errno != EPERM) {
            return -errno;
        }
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* 4.3 and later */
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int limit(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit lim;

    if (getrlimit(resource, &lim) < 0) {
        return -errno;
    }
    if (lim.rlim_max == RLIM_INFINITY || lim.rlim_max > value) {
        lim.rlim_max = value;
    }
    lim.rlim_cur = lim.rlim_max;
    return setrlimit(resource, &lim) < 0 ? -errno : 0;
}

int sandbox_rlimits_apply(const struct sandbox_rlimits *limits)
{
    int r;

    if (limits->address_space_bytes > 0 && sandbox_limits_address_space) {
        r = limit(RLIMIT_AS, limits->address_space_bytes);
        if (r < 0) {
            return r;
        }
    }
    r = limit(RLIMIT_NOFILE, limits->n_files);
    if (r < 0) {
        return r;
    }
    r = limit(RLIMIT_NPROC, limits->n_processes);
    if (r < 0) {
        return r;
    }
    return limit(RLIMIT_FSIZE, limits->written_bytes);
}

/* V18: becoming somebody else, and lifting one's own limits. */
#include <grp.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "kit_attempt.h"

ATTEMPT(set_user, syscall(SYS_setuid, 0))
ATTEMPT(set_group, syscall(SYS_setgid, 0))
ATTEMPT(set_users, syscall(SYS_setresuid, 0, 0, 0))
ATTEMPT(set_groups, syscall(SYS_setgroups, 0, NULL))
ATTEMPT(set_fs_user, syscall(SYS_setfsuid, 0))
ATTEMPT(set_capabilities, syscall(SYS_capset, NULL, NULL))
ATTEMPT(dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
ATTEMPT(tracer, prctl(PR_SET_PTRACER, -1, 0, 0, 0))
ATTEMPT(subreaper, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
ATTEMPT(memory_layout, prctl(PR_SET_MM, 1, 0, 0, 0))
ATTEMPT(keep_capabilities, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
ATTEMPT(time_slack, prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0))
ATTEMPT(other_rules, personality(ADDR_NO_RANDOMIZE))
ATTEMPT(new_session, setsid())
ATTEMPT(new_group, setpgid(0, 0))
ATTEMPT(nicer, setpriority(PRIO_PROCESS, 0, -20))
ATTEMPT(io_priority, syscall(SYS_ioprio_set, 1, 0, 0))
ATTEMPT(processors, syscall(SYS_sched_setaffinity, 0, 0, NULL))
ATTEMPT(deadline, syscall(SYS_sched_setattr, 0, NULL, 0))
ATTEMPT(file_mask, syscall(SYS_umask, 0))
ATTEMPT(lsm_label, syscall(NR_LSM_SET_SELF_ATTR, 0, NULL, 0, 0))

static long real_time(void)
{
    const struct sched_param param = {.sched_priority = 1};

    return syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param);
}

static long more_files(void)
{
    const struct rlimit limit = {1u << 20, 1u << 20};

    return setrlimit(RLIMIT_NOFILE, &limit);
}

static long more_memory(void)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    return setrlimit(RLIMIT_MEMLOCK, &limit);
}

static const struct kit_attempt rows[] = {
    {"V18-setuid", set_user, 0},
    {"V18-setgid", set_group, 0},
    {"V18-setresuid", set_users, 0},
    {"V18-setgroups", set_groups, 0},
    {"V18-setfsuid", set_fs_user, 0},
    {"V18-capset", set_capabilities, 0},
    {"V11-dumpable", dumpable, 0},
    {"V11-tracer", tracer, 0},
    {"V22-subreaper", subreaper, 0},
    {"V18-memory-layout", memory_layout, 0},
    {"V18-keep-capabilities", keep_capabilities, 0},
    {"V14-timer-slack", time_slack, 0},
    {"V18-personality", other_rules, 0},
    {"V22-setsid", new_session, 0},
    {"V22-setpgid", new_group, 0},
    {"V14-setpriority", nicer, 0},
    {"V14-io-priority", io_priority, 0},
    {"V14-affinity", processors, 0},
    {"V14-sched-deadline", deadline, 0},
    {"V14-sched-fifo", real_time, 0},
    {"V15-more-files", more_files, 0},
    {"V13-more-locked-memory", more_memory, 0},
    {"V18-umask", file_mask, 0},
    {"V18-lsm-label", lsm_label, 0},
};
KIT_TABLE(kit_identities, rows);

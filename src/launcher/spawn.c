/*
 * Fork and exec of our own programs.
 *
 * A child gets standard error, /dev/null for input and output, the descriptors that it was
 * promised and no other; next to no environment; default signals; a
 * session of its own, so that Ctrl-C in a terminal reaches the launcher alone, which then ends
 * everything in order. It dies with the launcher (PDEATHSIG), whatever that dies of. Its start is
 * awaited on a pipe that exec() closes, so that "no such program" is told here and not guessed
 * from an exit status later.
 */
#include "launcher/spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define KEPT_ENVIRONMENT_MAX 16

extern char **environ;

enum spawn_step {
    STEP_FORK = 0,
    STEP_SIGNALS,
    STEP_DESCRIPTORS,
    STEP_GROUPS,
    STEP_USER,
    STEP_CAPABILITIES,
    STEP_DEATH_SIGNAL,
    STEP_EXEC,
};

static const char *const step_texts[] = {
    [STEP_FORK] = "forking",
    [STEP_SIGNALS] = "resetting signals",
    [STEP_DESCRIPTORS] = "passing descriptors",
    [STEP_GROUPS] = "setting groups",
    [STEP_USER] = "changing the user",
    [STEP_CAPABILITIES] = "limiting capabilities",
    [STEP_DEATH_SIGNAL] = "tying its life to ours",
    [STEP_EXEC] = "executing it",
};

struct failure {
    int step;
    int error;
};

/*
 * By the call itself: libc keeps two signals to itself, and whoever started us may have ignored
 * them all the same (dpkg-buildpackage does).
 */
static int reset_signals(void)
{
    static const unsigned long by_default[8]; /* SIG_DFL and no flag, in the kernel's structure */
    sigset_t none;

    for (int signo = 1; signo < NSIG; signo++) {
        (void)syscall(SYS_rt_sigaction, signo, by_default, NULL, (size_t)NSIG / 8); /* not KILL */
    }
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int pass_descriptors(const struct spawn *spawn)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) {
        return -errno;
    }
    if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0) {
        return -errno;
    }
    for (size_t i = 0; i < spawn->n_fds; i++) {
        if (fcntl(spawn->fds[i], F_SETFD, 0) < 0) {
            return -errno;
        }
    }
    return 0;
}

/* Leaves `wanted` in every set, also across exec(). */
static int limit_capabilities(uint64_t wanted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    for (uint32_t i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(wanted >> (32 * i));
        data[i].permitted = data[i].effective;
        data[i].inheritable = data[i].effective;
    }
    if (syscall(SYS_capset, &header, data) < 0) {
        return -errno;
    }
    for (unsigned long cap = 0; cap < 64; cap++) {
        if ((wanted & (1ull << cap)) &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0) {
            return -errno;
        }
    }
    return 0;
}

static int drop_bounding_set(uint64_t kept)
{
    for (unsigned long cap = 0; cap < 64; cap++) {
        if (!(kept & (1ull << cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
            errno != EINVAL) { /* EINVAL: past the last that this kernel knows */
            return -errno;
        }
    }
    return 0;
}

static int become_user(const struct spawn *spawn, int *step)
{
    gid_t gid = spawn->gid;

    *step = STEP_CAPABILITIES;
    if (drop_bounding_set(spawn->capabilities) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) {
        return -errno;
    }
    *step = STEP_GROUPS;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0) {
        return -errno;
    }
    *step = STEP_USER;
    if (setresuid(spawn->uid, spawn->uid, spawn->uid) < 0) {
        return -errno;
    }
    *step = STEP_CAPABILITIES;
    return limit_capabilities(spawn->capabilities);
}

/* Nothing is passed on but what sanitizers and coverage are told, and that stderr is the
 * journal. */
static void keep_environment(char *kept[KEPT_ENVIRONMENT_MAX + 1])
{
    static const char *const prefixes[] = {"ASAN_",           "UBSAN_", "LSAN_", "TSAN_",
                                           "JOURNAL_STREAM=", "MSAN_",  "GCOV_", "LLVM_PROFILE_"};
    size_t n = 0;

    for (char **entry = environ; *entry && n < KEPT_ENVIRONMENT_MAX; entry++) {
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
            if (strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0) {
                kept[n++] = *entry;
                break;
            }
        }
    }
    kept[n] = NULL;
}

static int become_child(const struct spawn *spawn, pid_t launcher, int *step)
{
    struct rlimit files;
    char *kept[KEPT_ENVIRONMENT_MAX + 1];
    int r;

    *step = STEP_SIGNALS;
    r = reset_signals();
    if (r < 0) {
        return r;
    }
    (void)setsid(); /* fails only for a leader, which a new process is not */
    *step = STEP_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* with fewer it refuses clients earlier */
    }
    r = pass_descriptors(spawn);
    if (r < 0) {
        return r;
    }
    if (spawn->sets_user) {
        r = become_user(spawn, step);
        if (r < 0) {
            return r;
        }
    }
    *step = STEP_DEATH_SIGNAL; /* a change of user clears it, so it comes after */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        return -errno;
    }
    if (getppid() != launcher) {
        return -ESRCH;
    }
    *step = STEP_EXEC;
    keep_environment(kept);
    execve(spawn->program, spawn->argv, kept);
    return -errno;
}

static void child_main(const struct spawn *spawn, pid_t launcher, int report)
{
    struct failure failure = {0};

    failure.error = -become_child(spawn, launcher, &failure.step);
    (void)!write(report, &failure, sizeof(failure));
    _exit(127);
}

/* Waits until exec() has closed the pipe, or reads what failed. */
static int await_exec(int report, const char **ret_step)
{
    struct failure failure;
    ssize_t n;

    do {
        n = read(report, &failure, sizeof(failure));
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        return 0;
    }
    if (n != (ssize_t)sizeof(failure)) {
        *ret_step = step_texts[STEP_EXEC];
        return n < 0 ? -errno : -EPROTO;
    }
    *ret_step = step_texts[failure.step];
    return -failure.error;
}

int spawn_start(const struct spawn *spawn, pid_t *ret_pid, int *ret_pidfd, const char **ret_step)
{
    CLEANUP(closep) int report_read = -1;
    CLEANUP(closep) int report_write = -1;
    CLEANUP(closep) int pidfd = -1;
    pid_t launcher = getpid();
    int report[2];
    pid_t pid;
    int r;

    *ret_step = step_texts[STEP_FORK];
    if (pipe2(report, O_CLOEXEC) < 0) {
        return -errno;
    }
    report_read = report[0];
    report_write = report[1];
    pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        child_main(spawn, launcher, report_write);
    }
    close(TAKE_FD(report_write));
    r = await_exec(report_read, ret_step);
    if (r == 0) {
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        r = pidfd < 0 ? -errno : 0;
    }
    if (r < 0) {
        (void)kill(pid, SIGKILL); /* not reaped yet: the pid is still its own */
        (void)waitpid(pid, NULL, 0);
        return r;
    }
    *ret_pid = pid;
    *ret_pidfd = TAKE_FD(pidfd);
    return 0;
}

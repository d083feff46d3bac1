/*
 * The reviewed allow-lists: which process of pes may do what, once it is set up.
 *
 * A row allows a call, with conditions where an argument decides; what has no row ends the process
 * with SIGSYS. A row with an errno stands for calls that libc tries and can do without (clone3) or
 * that look things up by name where failing is an answer. Order matters only between rows of the
 * same call: the first that matches decides.
 *
 * Two profiles stack on each other in a worker: `provider` was applied before the module was
 * loaded and stays; `worker` comes on top after the fork. A call must pass both. `provider` is the
 * boundary against a hostile module, `worker` contains hostile content in an honest one.
 *
 * A provider that has scratch folders may make, write and remove files. This table cannot tell
 * where; Landlock does, and without Landlock there are no scratch folders (`init` sees to it).
 *
 * No profile lets anything be executed, connected or traced, nor io_uring, bpf, keyctl, mount,
 * namespaces, process_vm_*; init alone kills. No provider maps memory writable and shared. A socket
 * without a name (socketpair) is the broker's and the receiver's alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp_extra.h"
#include "sandbox/seccomp_numbers.h"

#define ALLOW(name)                                                                                \
    {                                                                                              \
        .number = __NR_##name                                                                      \
    }
#define FAIL(name, err)                                                                            \
    {                                                                                              \
        .number = __NR_##name, .error = (err)                                                      \
    }
#define ALLOW_IF(name, ...)                                                                        \
    {                                                                                              \
        .number = __NR_##name, .args = { __VA_ARGS__ }                                             \
    }
#define FAIL_IF(name, err, ...)                                                                    \
    {                                                                                              \
        .number = __NR_##name, .error = (err), .args = { __VA_ARGS__ }                             \
    }
#define CLEAR(i, bits)                                                                             \
    {                                                                                              \
        .compare = SECCOMP_MASKED_EQUAL, .index = (i), .mask = (bits)                              \
    }
#define MASKED(i, bits, want)                                                                      \
    {                                                                                              \
        SECCOMP_MASKED_EQUAL, (i), (bits), (want)                                                  \
    }
#define IS(i, want)                                                                                \
    {                                                                                              \
        .compare = SECCOMP_EQUAL, .index = (i), .value = (want)                                    \
    }
#define IS_INT(i, want)                                                                            \
    {                                                                                              \
        .compare = SECCOMP_EQUAL_LOW, .index = (i), .value = (want)                                \
    }
#define IS_SELF(i)                                                                                 \
    {                                                                                              \
        .compare = SECCOMP_EQUAL_SELF, .index = (i)                                                \
    }
#define TABLE(rows)                                                                                \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof((rows)[0])                                                   \
    }
#define EXTRA                                                                                      \
    {                                                                                              \
        seccomp_extra_rules, SECCOMP_N_EXTRA_RULES                                                 \
    }

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

/* What opening for anything but reading would set. O_PATH and O_TMPFILE are more than reading. */
#define OPEN_WRITING                                                                               \
    (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_PATH | (__O_TMPFILE & ~O_DIRECTORY))

/* What every process of pes does, whatever its work. */
static const struct seccomp_rule common[] = {
    ALLOW(read),
    ALLOW(write),
    ALLOW(readv),
    ALLOW(writev),
    ALLOW(pread64),
    ALLOW(close),
    ALLOW(lseek),
    ALLOW(fstat),
    ALLOW_IF(newfstatat, MASKED(3, AT_EMPTY_PATH, AT_EMPTY_PATH)),
    ALLOW_IF(statx, MASKED(2, AT_EMPTY_PATH, AT_EMPTY_PATH)),
    ALLOW_IF(fcntl, IS_INT(1, F_GETFD)),
    ALLOW_IF(fcntl, IS_INT(1, F_SETFD)),
    ALLOW_IF(fcntl, IS_INT(1, F_GETFL)),
    ALLOW_IF(fcntl, IS_INT(1, F_GET_SEALS)),
    ALLOW_IF(ioctl, IS_INT(1, TCGETS)), /* isatty(), by stdio */
    FAIL(ioctl, ENOTTY),
    ALLOW(recvmsg),
    ALLOW(sendmsg),
    ALLOW(recvfrom),
    ALLOW(sendto),
    ALLOW(poll),
    ALLOW(ppoll),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(brk),
    ALLOW(futex),
    ALLOW(set_robust_list),
    ALLOW(rseq),
    ALLOW(restart_syscall),
    ALLOW(sched_yield),
    ALLOW(nanosleep),
    ALLOW(clock_nanosleep),
    ALLOW(clock_gettime),
    ALLOW(clock_getres),
    ALLOW(gettimeofday),
    ALLOW(time),
    ALLOW(times),
    ALLOW(getrandom),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(getppid),
    ALLOW(getuid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(getrusage),
    ALLOW(getrlimit),
    ALLOW(getcpu),
    ALLOW(sysinfo), /* qsort() asks how much memory there is */
    ALLOW(uname),
    ALLOW(sched_getaffinity),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigpending),
    ALLOW(sigaltstack),
    ALLOW(exit),
    ALLOW(exit_group),
    ALLOW_IF(prlimit64, IS_INT(0, 0), IS(2, 0)), /* getrlimit() of ourselves */
    ALLOW_IF(prctl, IS_INT(0, PR_SET_VMA)),      /* malloc names its memory */
    ALLOW_IF(prctl, IS_INT(0, PR_SET_NAME)),
    FAIL(clone3, ENOSYS), /* its flags lie in memory: libc falls back to clone */
};

/* Memory without program text, private or read-only: everybody but a module that is being loaded.
 */
static const struct seccomp_rule plain_memory[] = {
    ALLOW_IF(mmap, CLEAR(2, PROT_EXEC), MASKED(3, MAP_TYPE, MAP_PRIVATE)),
    ALLOW_IF(mmap, CLEAR(2, PROT_EXEC | PROT_WRITE), MASKED(3, MAP_TYPE, MAP_SHARED),
             CLEAR(3, MAP_ANONYMOUS)),
    ALLOW_IF(mprotect, CLEAR(2, PROT_EXEC)), ALLOW_IF(tgkill, IS_SELF(0)), /* raise(), abort() */
};

static const struct seccomp_rule broker[] = {
    ALLOW_IF(fcntl, IS_INT(1, F_SETFL)),
    ALLOW(epoll_create1),
    ALLOW(epoll_ctl),
    ALLOW(epoll_wait),
    ALLOW(epoll_pwait),
    ALLOW(epoll_pwait2),
    ALLOW(accept4),
    ALLOW(socketpair),
    ALLOW(getsockopt),
    ALLOW(shutdown),
    ALLOW(memfd_create),
    ALLOW(ftruncate),
    ALLOW(pwrite64),
    ALLOW_IF(fcntl, IS_INT(1, F_ADD_SEALS)),
    ALLOW_IF(fcntl, IS_INT(1, F_DUPFD_CLOEXEC)),
    ALLOW(eventfd2),
    ALLOW(pidfd_open),
    /* Filling a memfd of its own before it is sealed and shown to anybody. */
    ALLOW_IF(mmap, CLEAR(2, PROT_EXEC), MASKED(3, MAP_TYPE, MAP_SHARED), CLEAR(3, MAP_ANONYMOUS)),
};

static const struct seccomp_rule identity[] = {
    ALLOW_IF(fcntl, IS_INT(1, F_SETFL)),
    ALLOW(epoll_create1),
    ALLOW(epoll_ctl),
    ALLOW(epoll_wait),
    ALLOW(epoll_pwait),
    ALLOW_IF(openat, CLEAR(2, OPEN_WRITING)),
    ALLOW_IF(open, CLEAR(1, OPEN_WRITING)),
    ALLOW_IF(openat, MASKED(2, OPEN_WRITING, O_PATH)), /* a /proc/PID held while it is read */
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(readlink),
    ALLOW(readlinkat),
    ALLOW(getdents64),
    ALLOW(pidfd_open),
    ALLOW_IF(pidfd_send_signal, IS_INT(1, 0)), /* does it still live? */
    ALLOW(waitid),
};

static const struct seccomp_rule receiver[] = {
    ALLOW_IF(fcntl, IS_INT(1, F_SETFL)),
    ALLOW(epoll_create1),
    ALLOW(epoll_ctl),
    ALLOW(epoll_wait),
    ALLOW(epoll_pwait),
    ALLOW(accept4),
    ALLOW(socketpair),
    ALLOW(getsockopt),
    ALLOW(setsockopt),
    ALLOW(shutdown),
    ALLOW(pidfd_open),
    ALLOW(wait4),
    ALLOW(waitid),
    ALLOW_IF(prctl, IS_INT(0, PR_SET_PDEATHSIG)),
    /* fork(): one disposable process per connection */
    ALLOW_IF(clone, IS(0, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD)),
};

/* The real init, once the zygote runs. It may kill, and only so: SIGKILL, its own children (their
 * pids are its to give away). */
static const struct seccomp_rule init[] = {
    ALLOW_IF(fcntl, IS_INT(1, F_SETFL)),
    ALLOW(wait4),
    ALLOW(waitid),
    ALLOW_IF(kill, IS_INT(1, SIGKILL)),
};

/* The flags with which the zygote makes a worker, its child's sibling: a child of init. */
#define FORK_WORKER     (CLONE_PARENT | SIGCHLD)
#define FORK_WORKER_TID (CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)

/*
 * Phase 1. Landlock says which files; this says that they are only read. Mapping program text is
 * allowed, since libraries are loaded. A signal may go anywhere as far as this table can tell:
 * workers inherit it, and their pids are not known yet. Landlock (ABI 6) and the pid namespace keep
 * it inside, `provider_signals` does where neither exists.
 */
static const struct seccomp_rule provider[] = {
    ALLOW_IF(fcntl, IS_INT(1, F_SETFL)),
    ALLOW_IF(openat, CLEAR(2, OPEN_WRITING)),
    ALLOW_IF(open, CLEAR(1, OPEN_WRITING)),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(stat),
    ALLOW(lstat),
    ALLOW(access),
    ALLOW(faccessat),
    ALLOW(faccessat2),
    ALLOW(readlink),
    ALLOW(readlinkat),
    ALLOW(getdents64),
    ALLOW(getdents),
    ALLOW(getcwd),
    ALLOW(statfs),
    ALLOW(fstatfs),
    ALLOW(fadvise64),
    ALLOW_IF(fcntl, IS_INT(1, F_DUPFD_CLOEXEC)),
    ALLOW(dup),
    ALLOW_IF(close_range, IS_INT(2, 0)), /* a worker closes what is not its own */
    ALLOW_IF(mmap, MASKED(3, MAP_TYPE, MAP_PRIVATE)),
    ALLOW_IF(mmap, CLEAR(2, PROT_WRITE), MASKED(3, MAP_TYPE, MAP_SHARED), CLEAR(3, MAP_ANONYMOUS)),
    ALLOW(mprotect),
    ALLOW(tgkill),
    ALLOW_IF(prlimit64, IS_INT(0, 0)), /* lowers only: no capability is left */
    ALLOW(set_tid_address),
    ALLOW_IF(clone, IS(0, FORK_WORKER)),
    ALLOW_IF(clone, IS(0, FORK_WORKER_TID)),
    /* For phase 2. Filters and domains only ever take away. */
    ALLOW_IF(seccomp, IS_INT(0, SECCOMP_SET_MODE_FILTER), IS(1, 0)),
    ALLOW(landlock_create_ruleset),
    ALLOW(landlock_restrict_self),
    ALLOW_IF(prctl, IS_INT(0, PR_SET_PDEATHSIG)),
    FAIL(prctl, EPERM),
};

/* On top of `provider` where signals are kept in by nothing else: then abort() in a worker is
 * reported as SIGSEGV, since its pid is another. */
static const struct seccomp_rule signals[] = {
    ALLOW_IF(tgkill, IS_SELF(0)),
    FAIL(tgkill, EPERM),
};

/* What opening must not set even where files are made: neither does Landlock see a path that is
 * only held, nor is a file without a name ever wiped. */
#define OPEN_UNSEEN (O_PATH | (__O_TMPFILE & ~O_DIRECTORY))

/*
 * On top, for a provider with scratch folders, in both phases. A folder is made so that its owner
 * can enter it, or nobody could empty it. Looking up by name tells what exists, as in phase 1.
 */
static const struct seccomp_rule scratch[] = {
    ALLOW_IF(openat, CLEAR(2, OPEN_UNSEEN)),
    ALLOW_IF(open, CLEAR(1, OPEN_UNSEEN)),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(stat),
    ALLOW(lstat),
    ALLOW(getdents64),
    ALLOW(getdents),
    ALLOW_IF(mkdir, MASKED(1, S_IRWXU, S_IRWXU)),
    ALLOW_IF(mkdirat, MASKED(2, S_IRWXU, S_IRWXU)),
    ALLOW(rmdir),
    ALLOW(unlink),
    ALLOW(unlinkat),
    ALLOW(ftruncate),
    ALLOW(pwrite64),
    ALLOW(dup),
    ALLOW(fchdir),
    ALLOW(landlock_add_rule), /* phase 2: its one folder */
    FAIL(getcwd, ENOENT),     /* the folder has no name */
    FAIL(chmod, EPERM),
    FAIL(fchmod, EPERM),
    FAIL(fchmodat, EPERM),
};

/* What init does when it empties a scratch folder: opens folders, never through a link, and removes
 * what is in them. */
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
static const struct seccomp_rule init_scratch[] = {
    ALLOW_IF(openat, IS_INT(2, OPEN_FOLDER)),
    ALLOW(getdents64),
    ALLOW(unlinkat),
};

/* Phase 2. Looking something up by name fails like a file that one may not read: libc does that on
 * its own (time zone, locale), and failing there is no reason to lose an answer. */
static const struct seccomp_rule worker[] = {
    ALLOW_IF(prlimit64, IS_INT(0, 0), IS_INT(1, RLIMIT_CPU)), /* set anew for each scan */
    /* Flags belong to what was opened, not to the descriptor: on the log's pipe, which all workers
     * have, they would be a letter box between those of different users. */
    FAIL_IF(fcntl, EPERM, IS_INT(1, F_SETFL)),
    FAIL(open, EACCES),
    FAIL(openat, EACCES),
    FAIL(stat, EACCES),
    FAIL(lstat, EACCES),
    FAIL(newfstatat, EACCES),
    FAIL(statx, EACCES),
    FAIL(access, EACCES),
    FAIL(faccessat, EACCES),
    FAIL(faccessat2, EACCES),
    FAIL(readlink, EACCES),
    FAIL(readlinkat, EACCES),
    FAIL(prctl, EPERM),
};

const struct seccomp_profile seccomp_profile_broker = {
    "broker",
    {TABLE(common), TABLE(plain_memory), TABLE(broker), EXTRA}};

const struct seccomp_profile seccomp_profile_identity = {
    "identity",
    {TABLE(common), TABLE(plain_memory), TABLE(identity), EXTRA}};

const struct seccomp_profile seccomp_profile_receiver = {
    "receiver",
    {TABLE(common), TABLE(plain_memory), TABLE(receiver), EXTRA}};

/* It reads what it was given and writes one answer. */
const struct seccomp_profile seccomp_profile_verify = {"verify",
                                                       {TABLE(common), TABLE(plain_memory), EXTRA}};

const struct seccomp_profile seccomp_profile_init = {
    "init",
    {TABLE(common), TABLE(plain_memory), TABLE(init), EXTRA}};

const struct seccomp_profile seccomp_profile_provider = {"provider",
                                                         {TABLE(common), TABLE(provider), EXTRA}};

const struct seccomp_profile seccomp_profile_provider_signals = {
    "provider-signals",
    {TABLE(signals), TABLE(common), TABLE(provider), EXTRA}};

const struct seccomp_profile seccomp_profile_init_scratch = {
    "init-scratch",
    {TABLE(common), TABLE(plain_memory), TABLE(init), TABLE(init_scratch), EXTRA}};

const struct seccomp_profile seccomp_profile_provider_scratch = {
    "provider-scratch",
    {TABLE(scratch), TABLE(common), TABLE(provider), EXTRA}};

const struct seccomp_profile seccomp_profile_worker_scratch = {
    "worker-scratch",
    {TABLE(common), TABLE(plain_memory), TABLE(scratch), TABLE(worker), EXTRA}};

const struct seccomp_profile seccomp_profile_worker = {
    "worker",
    {TABLE(common), TABLE(plain_memory), TABLE(worker), EXTRA}};

/*
 * Each mechanism, in a child that gives it up for good: afterwards it is really gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"
#include "testing.h"

/* Runs `what` in a child; its wait status. */
static int in_child(void (*what)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        what();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(STDERR_FILENO, "# line %d: %s (errno %d)\n", __LINE__, #condition, errno);     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void assert_child_passes(void (*what)(void))
{
    int status = in_child(what);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void enter_worker(void)
{
    CHECK(sandbox_no_new_privs() == 0);
    CHECK(sandbox_seccomp_apply(&seccomp_profile_worker) == 0);
}

static void open_socket(void)
{
    enter_worker();
    (void)!socket(AF_UNIX, SOCK_STREAM, 0);
}

static void execute(void)
{
    enter_worker();
    execl("/bin/true", "true", NULL);
}

static void map_executable(void)
{
    enter_worker();
    (void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void signal_parent(void)
{
    enter_worker();
    (void)!kill(getppid(), 0);
}

static void a_call_that_is_not_listed_ends_with_sigsys(void **state)
{
    void (*const attempts[])(void) = {open_socket, execute, map_executable, signal_parent};

    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int status = in_child(attempts[i]);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
    }
}

static void do_listed_calls(void)
{
    char byte = 'x';
    int fds[2];

    CHECK(pipe(fds) == 0);
    enter_worker();
    CHECK(write(fds[1], &byte, 1) == 1 && read(fds[0], &byte, 1) == 1);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    CHECK(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
}

static void listed_calls_work(void **state)
{
    assert_child_passes(do_listed_calls);
}

static void abort_itself(void)
{
    struct rlimit none = {0, 0};

    CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
    enter_worker();
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
}

static void abort_in_a_filter_is_a_true_sigabrt(void **state)
{
    int status = in_child(abort_itself);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void use_landlock(void)
{
    const struct landlock_path paths[] = {{"/usr/lib", LANDLOCK_READ | LANDLOCK_EXECUTE},
                                          {"/etc/ld.so.cache", LANDLOCK_READ},
                                          {"/no/such/path", LANDLOCK_READ}};
    const struct landlock_rules rules = {.paths = paths, .n_paths = 3};
    int fd;

    CHECK(sandbox_no_new_privs() == 0);
    CHECK(sandbox_landlock_apply(&rules) == 0);
    CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    CHECK(open("/tmp", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
    fd = open("/usr/lib", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0);
    CHECK(open("/usr/lib/x", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
}

static void landlock_leaves_only_the_listed_paths(void **state)
{
    if (sandbox_landlock_abi() == 0) {
        skip_because("this kernel has no Landlock");
    }
    assert_child_passes(use_landlock);
}

static void signal_out_of_landlock(void)
{
    CHECK(sandbox_no_new_privs() == 0);
    CHECK(sandbox_landlock_apply(NULL) == 0);
    CHECK(kill(getppid(), 0) < 0 && errno == EPERM);
    CHECK(open("/usr/lib", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
}

static void landlock_keeps_signals_inside(void **state)
{
    if (sandbox_landlock_abi() < 6) {
        skip_because("Landlock scopes signals since Linux 6.12");
    }
    assert_child_passes(signal_out_of_landlock);
}

static void drop_all(void)
{
    CHECK(sandbox_drop_capabilities() == 0);
    CHECK(sandbox_not_dumpable() == 0);
    CHECK(prctl(PR_GET_DUMPABLE) == 0);
    CHECK(prctl(PR_CAPBSET_READ, 21) == 0 || geteuid() != 0); /* CAP_SYS_ADMIN */
    CHECK(mount("none", "/tmp", "tmpfs", 0, NULL) < 0 && errno == EPERM);
}

static void capabilities_and_cores_are_gone(void **state)
{
    assert_child_passes(drop_all);
}

static void set_limits(void)
{
    const struct sandbox_rlimits limits = {.n_files = 16, .n_processes = 4096};
    struct rlimit limit;

    CHECK(sandbox_rlimits_apply(&limits) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 16);
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_max == 0);
    CHECK(fcntl(0, F_DUPFD, 16) < 0 && (errno == EINVAL || errno == EMFILE));
}

static void limits_hold(void **state)
{
    assert_child_passes(set_limits);
}

/* A grandchild asks to die with its parent: while that lives, and once it has ended. */
static void outlive_a_parent(void)
{
    pid_t parent;
    int ended[2], told[2], r;

    CHECK(pipe(ended) == 0 && pipe(told) == 0);
    parent = fork();
    if (parent == 0) {
        pid_t self = getpid();

        if (fork() == 0) {
            char byte;

            CHECK(sandbox_die_with(self) == 0);
            CHECK(prctl(PR_SET_PDEATHSIG, 0) == 0);
            CHECK(write(told[1], &byte, 1) == 1);
            close(ended[1]);
            CHECK(read(ended[0], &byte, 1) == 0); /* the parent is gone and reaped */
            r = sandbox_die_with(self);
            CHECK(write(told[1], &r, sizeof(r)) == sizeof(r));
        } else {
            char byte;

            CHECK(read(told[0], &byte, 1) == 1);
        }
        _exit(0);
    }
    close(told[1]);
    CHECK(waitpid(parent, NULL, 0) == parent);
    close(ended[1]);
    CHECK(read(told[0], &r, sizeof(r)) == sizeof(r));
    CHECK(r == -ESRCH);
}

static void a_parent_that_has_ended_already_is_noticed(void **state)
{
    assert_child_passes(outlive_a_parent);
}

/* As deep as there are inodes, which no path and no row of descriptors would reach. */
static void litter(int root)
{
    int folder = dup(root);

    for (int i = 0; i < 15000; i++) {
        int next;

        CHECK(mkdirat(folder, "x", 0700) == 0);
        next = openat(folder, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(next >= 0);
        close(folder);
        folder = next;
    }
    close(folder);
    for (int i = 0; i < 1000; i++) {
        char name[32];
        int fd;

        snprintf(name, sizeof(name), "\x1b\n..%d", i);
        fd = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
        CHECK(fd >= 0);
        close(fd);
    }
}

/* A folder that was not used is told by its size, so the least that can be in it must show there,
 * also after something else has gone. */
static void wipe_the_least(int root)
{
    for (int i = 0; i < 4; i++) {
        int fd = -1;

        if (i & 1) {
            CHECK(mkdirat(root, "least", 0700) == 0);
        } else {
            fd = openat(root, "least", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
            CHECK(fd >= 0);
            close(fd);
        }
        if (i & 2) {
            CHECK(mkdirat(root, "gone", 0700) == 0 && unlinkat(root, "gone", AT_REMOVEDIR) == 0);
        }
        CHECK(sandbox_scratch_wipe(root) == 0);
        CHECK(faccessat(root, "least", F_OK, 0) < 0 && errno == ENOENT);
    }
}

static void make_and_wipe(void)
{
    int fd = -1;
    int file;

    CHECK(sandbox_scratch_make(1u << 20, getuid(), getgid(), &fd) == 0);
    CHECK(sandbox_scratch_wipe(fd) == 0);
    wipe_the_least(fd);
    for (int i = 0; i < 2; i++) {
        litter(fd);
        CHECK(unlinkat(fd, "x", AT_REMOVEDIR) < 0 && errno == ENOTEMPTY);
        CHECK(sandbox_scratch_wipe(fd) == 0);
        CHECK(openat(fd, "x", O_RDONLY) < 0 && errno == ENOENT);
    }
    file = openat(fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(file >= 0 && ftruncate(file, 2 << 20) == 0); /* a hole takes nothing */
    CHECK(posix_fallocate(file, 0, 2 << 20) == ENOSPC);
    CHECK(faccessat(fd, "/", X_OK, 0) == 0 && mkdirat(fd, "more", 0700) == 0);
    CHECK(sandbox_scratch_wipe(fd) == 0);
    CHECK(sandbox_scratch_wipe(-1) < 0);
}

static void a_scratch_folder_is_emptied_whatever_is_in_it(void **state)
{
    int fd = -1;
    int r = sandbox_scratch_make(1u << 20, getuid(), getgid(), &fd);

    if (r < 0) {
        assert_int_equal(r, -EPERM);
        skip_because("no right to mount here");
    }
    close(fd);
    assert_child_passes(make_and_wipe);
}

static void leave(void)
{
    uint32_t wanted = geteuid() == 0 ? SANDBOX_NS_ALL & ~SANDBOX_NS_USER : SANDBOX_NS_ALL;
    uint32_t uid = geteuid();
    int errors[6];
    uint32_t left = sandbox_namespaces_leave(wanted, errors);

    for (uint32_t i = 0; i < 6; i++) {
        CHECK(!(wanted & 1u << i) || !!(left & 1u << i) == (errors[i] == 0));
    }
    CHECK(geteuid() == uid);
}

static void namespaces_that_are_denied_are_named_and_the_uid_stays(void **state)
{
    assert_child_passes(leave);
}

/* As in a container that filters unshare(). */
static void leave_without_unshare(void)
{
    static const struct seccomp_rule rules[] = {{.number = __NR_unshare, .error = EPERM}};
    struct seccomp_profile profile = {"no-unshare", {{rules, 1}}};
    struct sock_filter code[64];
    struct sock_fprog program = {.filter = code};
    int errors[6];
    size_t n;

    CHECK(seccomp_filter_build(&profile, code, 64, &n) == 0);
    code[n - 1].k = 0x7fff0000; /* everything else is allowed */
    program.len = (unsigned short)n;
    CHECK(sandbox_no_new_privs() == 0);
    CHECK(syscall(SYS_seccomp, 1, 0, &program) == 0);
    CHECK(sandbox_namespaces_leave(SANDBOX_NS_ALL, errors) == 0);
    for (size_t i = 0; i < 6; i++) {
        CHECK(errors[i] == EPERM);
    }
}

static void every_namespace_may_be_denied(void **state)
{
    assert_child_passes(leave_without_unshare);
}

static void the_tier_is_told_in_words(void **state)
{
    char text[SANDBOX_TIER_BYTES];

    sandbox_tier_text(text);
    assert_true(text[0] == 'T' || strncmp(text, "none", 4) == 0);
    assert_non_null(strstr(text, "seccomp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_is_not_listed_ends_with_sigsys),
        cmocka_unit_test(listed_calls_work),
        cmocka_unit_test(abort_in_a_filter_is_a_true_sigabrt),
        cmocka_unit_test(landlock_leaves_only_the_listed_paths),
        cmocka_unit_test(landlock_keeps_signals_inside),
        cmocka_unit_test(capabilities_and_cores_are_gone),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_parent_that_has_ended_already_is_noticed),
        cmocka_unit_test(a_scratch_folder_is_emptied_whatever_is_in_it),
        cmocka_unit_test(namespaces_that_are_denied_are_named_and_the_uid_stays),
        cmocka_unit_test(every_namespace_may_be_denied),
        cmocka_unit_test(the_tier_is_told_in_words),
    };

    return cmocka_run_group_tests_name("sandbox/sandbox", tests, NULL, NULL);
}

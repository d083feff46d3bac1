/*
 * Runs one provider for real. Its stderr goes into a memfd, so that a test can look at it; it is
 * left open across exec on purpose, since init must close what it does not know.
 */
#include "provider_run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pes/enums.h>

#include "sandbox/sandbox.h"
#include "testing.h"

#define NOBODY 65534

struct init_driver driver;
struct init_driver_event event;
struct wire_frame frame;
char buffer[WIRE_RESULT_BYTES_MAX];
static int log_fd = -1;

void start_with_scratch(const char *module, const char *const *settings, uint32_t scratch_mib)
{
    const struct init_driver_options options = {
        .init_path = PES_INIT,
        .host_path = PES_HOST,
        .module_path = module,
        .name = "test",
        .settings = settings,
        .scratch_mib = scratch_mib,
        .log_fd = log_fd,
    };

    assert_int_equal(init_driver_start(&driver, &options), 0);
}

void start(const char *module, const char *const *settings)
{
    start_with_scratch(module, settings, 0);
}

void start_in_tier(const char *module, uint32_t min_tier)
{
    const struct init_driver_options options = {
        .init_path = PES_INIT,
        .host_path = PES_HOST,
        .module_path = module,
        .name = "test",
        .min_tier = min_tier,
        .log_fd = log_fd,
    };

    assert_int_equal(init_driver_start(&driver, &options), 0);
}

void start_ready(const char *module, const char *const *settings)
{
    start(module, settings);
    if (init_driver_wait_ready(&driver, TIME_MS, &event, &frame) != 0) {
        fail_msg("not ready: '%s'", event.payload);
    }
}

int provider_set_up(void **state)
{
    log_fd = memfd_create("log", 0);
    return log_fd < 0;
}

int provider_tear_down(void **state)
{
    init_driver_fini(&driver);
    close(log_fd);
    return 0;
}

const char *log_text(void)
{
    static char text[1 << 20];
    ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

int ask(uint32_t slot, const char *content)
{
    struct wire_scan scan = {
        .id = 7, .kind = PES_KIND_GENERIC, .schema_version = 1, .time_left_us = 5000000};

    return init_driver_scan(&driver, slot, &scan, content, strlen(content), TIME_MS, buffer,
                            &frame);
}

void spawn(uint32_t slot, uint64_t generation)
{
    assert_int_equal(init_driver_spawn(&driver, slot, generation, TIME_MS), 0);
}

void expect_exit(uint32_t slot, uint64_t generation, uint32_t how, int value)
{
    assert_int_equal(init_driver_wait_event(&driver, INIT_EXITED, (int)slot, TIME_MS, &event), 0);
    assert_int_equal(event.head.generation, generation);
    assert_int_equal(event.head.how, how);
    assert_int_equal(event.head.value, value);
}

static void add_descendants(struct family *family, pid_t parent)
{
    char path[64], text[4096] = "";
    int fd;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_true(n >= 0);
    for (char *at = text, *end; family->n < FAMILY_MAX; at = end) {
        pid_t pid = (pid_t)strtol(at, &end, 10);

        if (end == at) {
            return;
        }
        family->pids[family->n] = pid;
        family->pidfds[family->n] = (int)syscall(SYS_pidfd_open, pid, 0);
        if (family->pidfds[family->n] < 0) {
            assert_int_equal(errno, ESRCH); /* the worker of the self-test has just ended */
            continue;
        }
        family->n++;
        add_descendants(family, pid);
    }
}

struct family find_family(pid_t ancestor)
{
    struct family family = {.n = 0};

    add_descendants(&family, ancestor);
    return family;
}

void expect_all_gone(struct family *family)
{
    for (size_t i = 0; i < family->n; i++) {
        struct pollfd pollfd = {.fd = family->pidfds[i], .events = POLLIN};

        assert_int_equal(poll(&pollfd, 1, TIME_MS), 1);
        close(family->pidfds[i]);
    }
}

void deny(const struct seccomp_rule *rules, size_t n_rules)
{
    struct seccomp_profile profile = {"deny", {{rules, n_rules}}};
    struct sock_filter code[64];
    struct sock_fprog program = {.filter = code};
    size_t n;

    if (seccomp_filter_build(&profile, code, 64, &n) < 0) {
        _exit(100);
    }
    code[n - 1].k = SECCOMP_RET_ALLOW;
    program.len = (unsigned short)n;
    if (sandbox_no_new_privs() < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
        _exit(101);
    }
}

void assert_child_passes(CMUnitTestFunction what)
{
    const struct CMUnitTest test = {"in a child", what, NULL, NULL, NULL};
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        _exit(_cmocka_run_group_tests("child", &test, 1, NULL, NULL));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void become_who_is_asked(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--as-nobody") != 0) {
        return;
    }
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) < 0)) {
        printf("1..0 # SKIP cannot become nobody\n");
        exit(0);
    }
    prctl(PR_SET_DUMPABLE, 1); /* a sanitizer looks for leaks by tracing itself */
    if (access(PES_INIT, X_OK) < 0 || access(ESCAPE_MODULE, R_OK) < 0) {
        printf("1..0 # SKIP nobody cannot reach the build folder\n");
        exit(0);
    }
}

/*
 * A provider stays where it is: attempts to get out of load() and scan(), floods and crashes by the
 * thousand, kernels that deny namespaces.
 *
 * Runs as whoever starts it; with --as-nobody it first becomes nobody.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provider_run.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"
#include "testing.h"

/* ---- getting out ---- */

static const char *const attempts[] = {
    "socket",    "socketpair",   "connect",  "open-passwd",   "open-proc",
    "list-root", "open-writing", "unlink",   "fork",          "clone3",
    "thread",    "userns-clone", "unshare",  "setns",         "exec",
    "execveat",  "ptrace",       "vm-readv", "memfd",         "eventfd",
    "io-uring",  "bpf",          "keyctl",   "mount",         "userfaultfd",
    "perf",      "kill-init",    "kill-all", "tgkill-init",   "setuid",
    "dumpable",  "raise-limit",  "shm",      "shared-memory", "shared-memory-later",
};
#define N_ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

static bool is_refusal(const char *name)
{
    return strcmp(name, "EPERM") == 0 || strcmp(name, "EACCES") == 0 || strcmp(name, "ENOSYS") == 0;
}

static void expect_contained_scan(uint64_t generation, const char *attempt)
{
    char name[64];
    int r;

    spawn(0, generation);
    r = ask(0, attempt);
    if (r == INIT_DRIVER_E_LOST) {
        expect_exit(0, generation, INIT_EXIT_SIGNAL, SIGSYS);
        return;
    }
    assert_int_equal(r, 0);
    snprintf(name, sizeof(name), "%.*s", (int)frame.result.findings[0].detection.size,
             frame.result.findings[0].detection.data);
    if (!is_refusal(name)) {
        fail_msg("scan: %s: %s", attempt, name);
    }
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, generation), 0);
    expect_exit(0, generation, INIT_EXIT_SIGNAL, SIGKILL);
}

static void nothing_gets_out_of_scan(void **state)
{
    uint64_t generation = 1;

    start_ready(ESCAPE_MODULE, NULL);
    for (size_t i = 0; i < N_ATTEMPTS; i++) {
        expect_contained_scan(generation++, attempts[i]);
    }
    expect_contained_scan(generation++, "executable-memory");
    expect_contained_scan(generation++, "mprotect-executable");
}

static void a_worker_has_no_descriptor_but_its_own(void **state)
{
    start_ready(ESCAPE_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(ask(0, "inherited-fds"), 0);
    assert_memory_equal(frame.result.findings[0].detection.data, "EBADF", 5);
}

static void nothing_gets_out_of_load(void **state)
{
    for (size_t i = 0; i < N_ATTEMPTS; i++) {
        char setting[64], note[64];
        int r;

        snprintf(setting, sizeof(setting), "load=%s", attempts[i]);
        start(ESCAPE_MODULE, (const char *const[]){setting, NULL});
        r = init_driver_wait_ready(&driver, TIME_MS, &event, &frame);
        if (r == 0) {
            snprintf(note, sizeof(note), "%.*s", (int)frame.describe.note.size,
                     frame.describe.note.data);
            if (!is_refusal(note)) {
                fail_msg("load: %s: %s", attempts[i], note);
            }
        } else {
            assert_int_equal(r, INIT_DRIVER_E_LOST);
            assert_non_null(strstr(event.payload, "SIGSYS"));
        }
        init_driver_fini(&driver);
    }
}

/* ---- logs, soak ---- */

static void a_flooded_log_is_cut(void **state)
{
    const char *text;
    size_t n_lines = 0;

    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(0, "PES-SCRIPT: log 20000\n"), 0);
    }
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
    text = log_text();
    for (const char *at = text; (at = strstr(at, "provider 'test' says")); at++) {
        n_lines++;
    }
    assert_true(n_lines >= 1);
    assert_true(strlen(text) < 64 * 1024);
    assert_non_null(strstr(text, "left out"));
}

static size_t n_fds(pid_t pid)
{
    char path[64];
    size_t n = 0;

    for (int fd = 0; fd < 64; fd++) {
        struct stat st;

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        n += lstat(path, &st) == 0;
    }
    return n; /* 0 for whoever may not look */
}

static long rss_pages(pid_t pid)
{
    char path[64];
    long size = 0, rss = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &rss), 2);
    fclose(file);
    return rss;
}

static void crash_many(uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        spawn(0, first + i);
        assert_int_equal(ask(0, "PES-SCRIPT: crash SEGV\n"), INIT_DRIVER_E_LOST);
        expect_exit(0, first + i, INIT_EXIT_SIGNAL, SIGSEGV);
    }
}

static void a_thousand_crashes_leave_nothing_behind(void **state)
{
    size_t n_init_fds, n_zygote_fds;
    long init_rss, zygote_rss;
    struct family family;

    start_ready(SCRIPTED_MODULE, NULL);
    crash_many(1, 100);
    family = find_family(driver.pid);
    assert_int_equal(family.n, 2);
    n_init_fds = n_fds(family.pids[0]);
    n_zygote_fds = n_fds(family.pids[1]);
    init_rss = rss_pages(family.pids[0]);
    zygote_rss = rss_pages(family.pids[1]);
    crash_many(101, 1000);
    assert_int_equal(n_fds(family.pids[0]), n_init_fds);
    assert_int_equal(n_fds(family.pids[1]), n_zygote_fds);
    assert_true(rss_pages(family.pids[0]) <= init_rss + 64);
    assert_true(rss_pages(family.pids[1]) <= zygote_rss + 64);
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
    expect_all_gone(&family);
}

/* ---- limits ---- */

static void memory_ends_with_what_is_allowed(void **state)
{
    if (!sandbox_limits_address_space) {
        skip_because("a sanitizer needs more address space than any limit");
    }
    start_ready(ESCAPE_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(ask(0, "memory"), 0);
    assert_memory_equal(frame.result.findings[0].detection.data, "ENOMEM", 6);
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 1), 0);
    expect_exit(0, 1, INIT_EXIT_SIGNAL, SIGKILL);
    assert_true(event.head.rss_kib < 600 * 1024);
}

static void forks_that_nobody_asked_for_are_few_and_die(void **state)
{
    struct family family;

    if (geteuid() == 0) {
        skip_because("only without root: nobody's processes are counted for all who run as nobody");
    }
    start_ready(ESCAPE_MODULE, NULL);
    if (strstr(log_text(), "gets no namespace of these kinds")) {
        skip_because("only in a user namespace: else all of a user's processes are counted");
    }
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
    init_driver_fini(&driver);
    start_ready(ESCAPE_MODULE, (const char *const[]){"load=many-workers", NULL});
    assert_memory_equal(frame.describe.note.data, "EAGAIN", 6);
    family = find_family(driver.pid);
    assert_true(family.n > 2 && family.n <= 12); /* two slots for each of two brokers, and eight */
    assert_int_equal(init_driver_spawn(&driver, 0, 1, TIME_MS), INIT_DRIVER_E_LOST);
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
    expect_all_gone(&family);
}

/* ---- kernels that lack or deny something ---- */

static void serve_without_namespaces(void **state)
{
    static const struct seccomp_rule rules[] = {{.number = __NR_unshare, .error = EPERM}};
    struct family family;

    deny(rules, 1);
    start_ready(ESCAPE_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(ask(0, "clone3"), 0);
    assert_non_null(strstr(log_text(), "gets no namespace of these kinds"));
    assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, 1), 0);
    expect_exit(0, 1, INIT_EXIT_SIGNAL, SIGKILL);
    expect_contained_scan(2, "tgkill-init");
    spawn(0, 3);
    family = find_family(driver.pid);
    kill(driver.pid, SIGKILL);
    assert_int_equal(init_driver_wait_exit(&driver, TIME_MS), 128 + SIGKILL);
    expect_all_gone(&family);
}

static void without_namespaces_it_serves_and_says_so(void **state)
{
    assert_child_passes(serve_without_namespaces);
}

/* Nothing ends with a namespace there; init is the parent of all, named or not. */
static void end_strays_without_namespaces(void **state)
{
    static const struct seccomp_rule rules[] = {{.number = __NR_unshare, .error = EPERM}};
    struct family family;

    deny(rules, 1);
    start_ready(ESCAPE_MODULE, (const char *const[]){"load=strays", NULL});
    assert_memory_equal(frame.describe.note.data, "DONE", 4);
    family = find_family(driver.pid);
    assert_int_equal(family.n, 2 + 200);
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
    expect_all_gone(&family);
}

static void without_namespaces_nothing_of_a_module_outlives_init(void **state)
{
    assert_child_passes(end_strays_without_namespaces);
}

static void serve_without_landlock(void **state)
{
    static const struct seccomp_rule rules[] = {
        {.number = __NR_landlock_create_ruleset, .error = ENOSYS}};

    deny(rules, 1);
    start_ready(SCRIPTED_MODULE, NULL);
    spawn(0, 1);
    assert_int_equal(ask(0, "hello"), 0);
}

static void without_landlock_it_serves(void **state)
{
    assert_child_passes(serve_without_landlock);
}

static const struct seccomp_rule no_unshare[] = {{.number = __NR_unshare, .error = EPERM}};
static const struct seccomp_rule no_landlock[] = {
    {.number = __NR_landlock_create_ruleset, .error = ENOSYS}};

static void expect_refused(const char *tier)
{
    start_in_tier(SCRIPTED_MODULE, 2);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), INIT_DRIVER_E_LOST);
    assert_non_null(strstr(event.payload, tier));
    assert_int_not_equal(init_driver_wait_exit(&driver, TIME_MS), 0);
}

static void refuse_without_namespaces(void **state)
{
    deny(no_unshare, 1);
    expect_refused("tier T1 is below min-tier 2");
}

static void refuse_without_landlock(void **state)
{
    deny(no_landlock, 1);
    expect_refused("tier T0 is below min-tier 2");
}

/* Whatever the launcher thinks that there is. */
static void R20_init_starts_nothing_below_the_tier_that_it_was_told(void **state)
{
    assert_child_passes(refuse_without_namespaces);
    assert_child_passes(refuse_without_landlock);
}

static void report_failed_fork(void **state)
{
    static const struct seccomp_rule rules[] = {
        {.number = __NR_clone,
         .error = EAGAIN,
         .args = {{SECCOMP_MASKED_EQUAL, 0, CLONE_PARENT, CLONE_PARENT}}}};

    deny(rules, 1);
    start_ready(ESCAPE_MODULE, NULL);
    /* Without a channel: not even answered. */
    assert_int_equal(init_driver_command(&driver, INIT_SPAWN, 0, 1), 0);
    assert_int_equal(init_driver_spawn(&driver, 0, 2, TIME_MS), INIT_DRIVER_E_LOST);
}

static void a_worker_that_cannot_be_forked_is_reported(void **state)
{
    assert_child_passes(report_failed_fork);
}

/* A step of the sandbox that fails, and how it must be called. */
static const struct failing_step {
    struct seccomp_rule rules[2];
    const char *text;
} failing_steps[] = {
    {{{.number = __NR_seccomp, .error = EPERM}}, "the sandbox cannot be made: seccomp"},
    {{{.number = __NR_seccomp, .error = ENOSYS}}, "the sandbox cannot be made: seccomp"},
    {{{.number = __NR_landlock_restrict_self, .error = E2BIG}},
     "the sandbox cannot be made: landlock: Argument list too long"},
    {{{.number = __NR_prctl, .error = EPERM, .args = {{SECCOMP_EQUAL_LOW, 0, 0, 4}}}},
     "the sandbox cannot be made: preventing core dumps"},
    {{{.number = __NR_prctl, .error = EPERM, .args = {{SECCOMP_EQUAL_LOW, 0, 0, 38}}}},
     "the sandbox cannot be made: no_new_privs"},
    {{{.number = __NR_prctl, .error = EPERM, .args = {{SECCOMP_EQUAL_LOW, 0, 0, 1}}}},
     "the sandbox cannot be made: dying with the launcher"},
    {{{.number = __NR_close_range, .error = EPERM}},
     "the sandbox cannot be made: closing what is not ours"},
    {{{.number = __NR_pipe2, .error = EMFILE}}, "the sandbox cannot be made: making a pipe"},
    {{{.number = __NR_signalfd4, .error = ENOMEM}},
     "the sandbox cannot be made: watching its processes"},
    {{{.number = __NR_execveat, .error = EACCES}}, "pes-host cannot be executed"},
    {{{.number = __NR_capset, .error = EPERM}}, "dropping capabilities"},
    {{{.number = __NR_prlimit64, .args = {{SECCOMP_EQUAL, 2, 0, 0}}},
      {.number = __NR_prlimit64, .error = EPERM, .args = {{SECCOMP_EQUAL_LOW, 1, 0, 7}}}},
     "the sandbox cannot be made: limiting resources"},
};

static const struct failing_step *failing_step;

static void fail_at_a_step(void **state)
{
    int r;

    deny(failing_step->rules, 2);
    start(SCRIPTED_MODULE, NULL);
    r = init_driver_wait_ready(&driver, TIME_MS, &event, &frame);
    if (r != INIT_DRIVER_E_LOST || !strstr(event.payload, failing_step->text)) {
        fail_msg("expected '%s', got %d '%s'", failing_step->text, r, event.payload);
    }
    assert_int_not_equal(init_driver_wait_exit(&driver, TIME_MS), 0);
}

static void E11_no_step_of_the_sandbox_is_left_out(void **state)
{
    for (size_t i = 0; i < sizeof(failing_steps) / sizeof(failing_steps[0]); i++) {
        failing_step = &failing_steps[i];
        assert_child_passes(fail_at_a_step);
    }
}

#define CONTAINMENT_TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, provider_set_up, provider_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CONTAINMENT_TEST(nothing_gets_out_of_scan),
        CONTAINMENT_TEST(a_worker_has_no_descriptor_but_its_own),
        CONTAINMENT_TEST(nothing_gets_out_of_load),
        CONTAINMENT_TEST(a_flooded_log_is_cut),
        CONTAINMENT_TEST(a_thousand_crashes_leave_nothing_behind),
        CONTAINMENT_TEST(memory_ends_with_what_is_allowed),
        CONTAINMENT_TEST(forks_that_nobody_asked_for_are_few_and_die),
        CONTAINMENT_TEST(without_landlock_it_serves),
        CONTAINMENT_TEST(R20_init_starts_nothing_below_the_tier_that_it_was_told),
        CONTAINMENT_TEST(a_worker_that_cannot_be_forked_is_reported),
        CONTAINMENT_TEST(E11_no_step_of_the_sandbox_is_left_out),
        CONTAINMENT_TEST(without_namespaces_it_serves_and_says_so),
        CONTAINMENT_TEST(without_namespaces_nothing_of_a_module_outlives_init),
    };

    become_who_is_asked(argc, argv);
    return cmocka_run_group_tests_name("containment", tests, NULL, NULL);
}

/*
 * Scratch folders: what a worker may do there, that it may do it nowhere else, and that nothing of
 * it stays for whoever comes next.
 *
 * Runs as whoever starts it; with --as-nobody it first becomes nobody. Where no folder can be made
 * (no right to mount, no Landlock) the provider has to say so, and the other tests are skipped.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "provider_run.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"
#include "testing.h"

#define SCRATCH_MIB 4

static const char *const needs_scratch[] = {"needs-scratch=1", NULL};

static void start_scratch(void)
{
    int r;

    start_with_scratch(ESCAPE_MODULE, needs_scratch, SCRATCH_MIB);
    r = init_driver_wait_ready(&driver, TIME_MS, &event, &frame);
    if (r == INIT_DRIVER_E_LOST && strcmp(event.payload, "no folder for temporary files") == 0) {
        assert_non_null(strstr(log_text(), "gets no folder for temporary files"));
        init_driver_fini(&driver);
        skip_because("no folder can be made here");
    }
    if (r != 0) {
        fail_msg("not ready: '%s'", event.payload);
    }
}

static void expect_found(uint32_t slot, const char *attempt, const char *result)
{
    char name[64];

    assert_int_equal(ask(slot, attempt), 0);
    snprintf(name, sizeof(name), "%.*s", (int)frame.result.findings[0].detection.size,
             frame.result.findings[0].detection.data);
    if (strcmp(name, result) != 0) {
        fail_msg("%s: %s, not %s", attempt, name, result);
    }
}

static void nothing_stays_from_one_question_to_the_next(void **state)
{
    start_scratch();
    spawn(0, 1);
    expect_found(0, "scratch-is-empty", "DONE");
    expect_found(0, "scratch-litter", "DONE");
    expect_found(0, "scratch-is-empty", "DONE");
}

static void nothing_stays_when_a_worker_dies(void **state)
{
    start_scratch();
    for (uint64_t generation = 1; generation < 6; generation++) {
        spawn(1, generation);
        expect_found(1, "scratch-is-empty", "DONE");
        assert_int_equal(ask(1, "scratch-litter-and-crash"), INIT_DRIVER_E_LOST);
        expect_exit(1, generation, INIT_EXIT_SIGNAL, SIGSEGV);
    }
}

static void workers_do_not_share_a_folder(void **state)
{
    start_scratch();
    spawn(0, 1);
    spawn(1, 1);
    expect_found(0, "scratch-litter", "DONE");
    expect_found(1, "scratch-is-empty", "DONE");
    expect_found(0, "scratch-others", "EBADF");
}

static void a_full_folder_is_an_error_and_no_signal(void **state)
{
    start_scratch();
    spawn(0, 1);
    expect_found(0, "scratch-fill", "ENOSPC");
    expect_found(0, "scratch-is-empty", "DONE");
    expect_found(0, "scratch-litter", "DONE");
}

static void nothing_is_written_or_removed_elsewhere(void **state)
{
    char folder[] = "/tmp/pes-scratch-test.XXXXXX";
    char path[64], attempt[128];
    FILE *file;

    start_scratch();
    spawn(0, 1);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0777), 0);
    snprintf(path, sizeof(path), "%s/file", folder);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0666), 0);

    snprintf(attempt, sizeof(attempt), "open-writing:%s", path);
    expect_found(0, attempt, "EACCES");
    snprintf(attempt, sizeof(attempt), "open-writing:%s/other", folder);
    expect_found(0, attempt, "EACCES");
    snprintf(attempt, sizeof(attempt), "unlink:%s", path);
    expect_found(0, attempt, "EACCES");
    expect_found(0, "scratch-up", "ENOENT");

    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void what_could_hide_something_ends_the_worker(void **state)
{
    const char *const attempts[] = {"scratch-dark-folder", "scratch-link", "scratch-executable"};

    start_scratch();
    for (size_t i = 0; i < 3; i++) {
        spawn(0, i + 1);
        assert_int_equal(ask(0, attempts[i]), INIT_DRIVER_E_LOST);
        expect_exit(0, i + 1, INIT_EXIT_SIGNAL, SIGSYS);
    }
}

/* A module that can do without would serve; this one cannot. */
static void expect_refused_without(const struct seccomp_rule *rule, const char *why)
{
    deny(rule, 1);
    start_with_scratch(ESCAPE_MODULE, needs_scratch, SCRATCH_MIB);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), INIT_DRIVER_E_LOST);
    assert_string_equal(event.payload, "no folder for temporary files");
    assert_non_null(strstr(log_text(), why));
}

static void refuse_without_mounting(void **state)
{
    static const struct seccomp_rule rule = {.number = __NR_fsopen, .error = EPERM};

    expect_refused_without(&rule, "Operation not permitted; starting it without");
}

static void refuse_without_landlock(void **state)
{
    static const struct seccomp_rule rule = {.number = __NR_landlock_create_ruleset,
                                             .error = ENOSYS};

    expect_refused_without(&rule, "this kernel has no Landlock to keep it there");
}

static void where_none_can_be_made_the_provider_is_told(void **state)
{
    assert_child_passes(refuse_without_mounting);
    assert_child_passes(refuse_without_landlock);
}

static void a_provider_that_asks_for_none_gets_none(void **state)
{
    start(ESCAPE_MODULE, needs_scratch);
    assert_int_equal(init_driver_wait_ready(&driver, TIME_MS, &event, &frame), INIT_DRIVER_E_LOST);
    assert_string_equal(event.payload, "no folder for temporary files");
}

#define SCRATCH_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, provider_set_up, provider_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(nothing_stays_from_one_question_to_the_next),
        SCRATCH_TEST(nothing_stays_when_a_worker_dies),
        SCRATCH_TEST(workers_do_not_share_a_folder),
        SCRATCH_TEST(a_full_folder_is_an_error_and_no_signal),
        SCRATCH_TEST(nothing_is_written_or_removed_elsewhere),
        SCRATCH_TEST(what_could_hide_something_ends_the_worker),
        SCRATCH_TEST(where_none_can_be_made_the_provider_is_told),
        SCRATCH_TEST(a_provider_that_asks_for_none_gets_none),
    };

    become_who_is_asked(argc, argv);
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}

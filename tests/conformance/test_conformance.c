/*
 * pes-provider-check: the providers of this tree pass, and each fault that is planted is found.
 *
 * Everything runs for real: pes-init, pes-host, the sandbox.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

#define ARGUMENTS_MAX 16

extern char **environ;

static json_t *certificate;

static int forget(void **state)
{
    json_decref(certificate);
    certificate = NULL;
    return 0;
}

/* Runs the program with these arguments, ended by NULL; its exit status. */
static int run(const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX] = {CHECK,    "--json", "--init",       INIT,
                                       "--host", HOST,     "--timeout-ms", "300"};
    posix_spawn_file_actions_t actions;
    size_t n = 8;
    FILE *output;
    int status;
    pid_t pid;
    int fds[2];

    while (*arguments && n < ARGUMENTS_MAX - 1) {
        argv[n++] = *arguments++;
    }
    assert_int_equal(pipe(fds), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    assert_int_equal(posix_spawn(&pid, CHECK, &actions, NULL, (char *const *)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    output = fdopen(fds[0], "re");
    assert_non_null(output);
    certificate = json_loadf(output, 0, NULL);
    fclose(output);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static const json_t *check_named(const char *name)
{
    const json_t *checks = json_object_get(certificate, "checks");
    const json_t *check;
    size_t i;

    json_array_foreach(checks, i, check)
    {
        if (strcmp(json_string_value(json_object_get(check, "name")), name) == 0) {
            return check;
        }
    }
    fail_msg("there is no check %s", name);
    return NULL;
}

static void assert_check(const char *name, bool is_ok, const char *detail)
{
    const json_t *check = check_named(name);
    const char *seen = json_string_value(json_object_get(check, "detail"));

    if (json_is_true(json_object_get(check, "ok")) != is_ok || !strstr(seen, detail)) {
        fail_msg("%s: %s", name, seen);
    }
}

static long number(const char *name)
{
    return (long)json_integer_value(json_object_get(certificate, name));
}

static void assert_passed(int status)
{
    if (status != 0) {
        char *text = json_dumps(json_object_get(certificate, "checks"), JSON_INDENT(1));

        fail_msg("%s", text ? text : "no certificate");
    }
    assert_true(json_is_true(json_object_get(certificate, "passed")));
    assert_int_equal(number("crashes"), 0);
    assert_int_equal(number("timeouts"), 0);
    assert_int_equal(number("clean_set_findings"), 0);
}

static void eicar_passes(void **state)
{
    assert_passed(RUN(EICAR));
    assert_check("self-test", true, "found its ");
    assert_true(number("samples") > 0);
    assert_string_equal(json_string_value(json_object_get(certificate, "name")), "eicar");
    assert_int_equal(strlen(json_string_value(json_object_get(certificate, "sha256"))), 64);
    assert_true(json_array_size(json_object_get(certificate, "kinds")) > 30);
    assert_true(number("questions") > 2500);
    assert_true(number("memory_kib") > 0);
    assert_true(
        json_is_integer(json_object_get(json_object_get(certificate, "latency_us"), "p99")));
}

static void scripted_passes(void **state)
{
    assert_passed(RUN(SCRIPTED));
}

/* With definitions copied to where the provider can read them: run by root, it is somebody who may
 * be unable to read the tree. */
static void assert_passed_with(const char *module, const char *rules, const char *loaded)
{
    char folder[] = "/tmp/pes-rules.XXXXXX";
    char command[PATH_MAX + 64];

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(command, sizeof(command), "cp '%s'/* %s && chmod 644 %s/*", rules, folder, folder);
    assert_int_equal(system(command), 0);
    assert_passed(RUN("--definitions", folder, module));
    assert_check("loads", true, loaded);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void yara_passes(void **state)
{
    if (YARA[0] == '\0') {
        skip_because("built without libyara");
    }
    assert_passed_with(YARA, SHIPPED_RULES, " rules in 4 files");
}

static void command_passes(void **state)
{
    if (COMMAND[0] == '\0') {
        skip_because("built without RE2, ICU or zlib");
    }
    assert_passed_with(COMMAND, COMMAND_RULES, " expressions in 10 files");
}

static void yara_without_rules_fails_with_what_to_do(void **state)
{
    if (YARA[0] == '\0') {
        skip_because("built without libyara");
    }
    assert_int_equal(RUN("--definitions", "/nonexistent", YARA), 1);
    assert_check("loads", false, "/nonexistent: does not exist; correct `definitions`");
    assert_check("no-bytes", false, "not run");
}

/* A folder that everybody can read, with the list that ships, `n_cut` bytes shorter. */
static void run_hashlist(int n_cut, int expected)
{
    char folder[] = "/tmp/pes-lists.XXXXXX";
    char command[PATH_MAX + 64];

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(command, sizeof(command), "install -m 0644 '%s' %s && truncate -s -%d %s/*",
             HASHLIST_SHIPPED, folder, n_cut, folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(RUN("--definitions", folder, HASHLIST), expected);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void hashlist_passes(void **state)
{
    run_hashlist(0, 0);
    assert_passed(0);
    assert_check("loads", true, "0 denied, 0 allowed, 9 for tests in 1 list");
}

static void hashlist_with_a_list_that_is_cut_fails_with_what_to_do(void **state)
{
    run_hashlist(8, 1);
    assert_check("loads", false, "is cut off; make it again");
}

static void a_provider_that_dies_is_found_out_and_its_signal_named(void **state)
{
    assert_int_equal(RUN("--option", "always=crash SEGV", SCRIPTED), 1);
    assert_check("no-bytes", false, "died of SIGSEGV");
    assert_check("mutations", false, "died of SIGSEGV");
    assert_check("survives", false, "crashes");
    assert_true(number("crashes") > 5);
}

static void a_provider_that_ends_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=exit 3", SCRIPTED), 1);
    assert_check("no-bytes", false, "ended by itself with status 3");
}

static void a_provider_that_hangs_is_found_out_and_soon_given_up(void **state)
{
    assert_int_equal(RUN("--option", "always=hang", SCRIPTED), 1);
    assert_check("no-bytes", false, "gave no answer within 300 ms");
    assert_check("survives", false, "not run");
    assert_int_equal(number("timeouts"), 3);
}

static void a_provider_that_calls_everything_good_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=lie", SCRIPTED), 1);
    assert_check("few-bytes", false, "called known good, which nobody can know");
}

static void a_provider_that_claims_full_coverage_of_half_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=coverage full", SCRIPTED), 1);
    assert_check("few-bytes", false, "examined only 0 bytes of 1, by its own count");
}

static void a_provider_that_never_looks_is_found_out(void **state)
{
    const char *const modules[] = {FAILS, SILENT};

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(RUN(modules[i]), 1);
        assert_check("looks", false, "examined none of ");
        assert_true(json_is_false(json_object_get(certificate, "passed")));
        forget(state);
    }
}

static void a_provider_without_samples_is_said_to_have_proven_nothing(void **state)
{
    assert_passed(RUN(UNPROVEN));
    assert_int_equal(number("samples"), 0);
    assert_true(json_is_null(json_object_get(check_named("self-test"), "ok")));
    assert_check("self-test", false, "no samples: nothing proven");
    assert_check("looks", true, "examined 25 of 25 everyday contents");
}

static void a_provider_that_leaks_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=leak-kib 16", SCRIPTED), 1);
    assert_check("no-growth", false, "KiB more after 2000 scans");
    assert_check("survives", true, "questions");
}

static void a_provider_that_finds_things_in_clean_contents_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=found Everything malicious", SCRIPTED), 1);
    assert_check("clean-set", false, "found Everything in ");
    assert_true(number("clean_set_findings") > 20);
    assert_check("mutations", true, "");
}

static void a_provider_that_changes_its_mind_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=fickle", SCRIPTED), 1);
    assert_check("same-answers", false, "another answer than before");
}

static void a_provider_that_writes_into_its_channel_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=garbage", SCRIPTED), 1);
    assert_check("no-bytes", false, "sent something that is no answer");
}

static void a_provider_that_does_what_is_forbidden_is_found_out(void **state)
{
    assert_int_equal(RUN("--option", "always=forbidden", SCRIPTED), 1);
    assert_check("no-bytes", false, "died of SIGSYS");
}

static void a_provider_that_does_not_load_fails_with_its_reason(void **state)
{
    assert_int_equal(RUN("--option", "load=fail", SCRIPTED), 1);
    assert_check("loads", false, "told to fail");
}

static void a_provider_that_dies_while_loading_fails(void **state)
{
    assert_int_equal(RUN("--option", "load=crash SEGV", SCRIPTED), 1);
    assert_check("loads", false, "SIGSEGV");
}

static void a_provider_that_misses_its_own_sample_fails(void **state)
{
    assert_int_equal(RUN("--option", "selftest=fail", SCRIPTED), 1);
    assert_check("loads", false, "self-test");
}

static void a_provider_that_takes_beginnings_and_misses_one_fails(void **state)
{
    assert_int_equal(RUN(HASTY), 1);
    assert_check("loads", false, "sample 1 is not found with more behind it");
}

static void a_provider_with_flags_that_nobody_knows_fails(void **state)
{
    assert_int_equal(RUN(STRANGE), 1);
    assert_check("loads", false, "it sets flags 0x80000000");
}

static void what_is_no_module_fails(void **state)
{
    assert_int_equal(RUN("/etc/hostname"), 1);
    assert_check("loads", false, "");
}

static void what_is_not_there_cannot_be_checked(void **state)
{
    assert_int_equal(RUN("/nonexistent.so"), 2);
    assert_int_equal(RUN("/"), 2);
    assert_null(certificate);
}

static void wrong_usage_is_said(void **state)
{
    assert_int_equal(RUN("--nonsense"), 64);
    assert_int_equal(RUN("--option", "novalue", SCRIPTED), 64);
    assert_int_equal(RUN("--timeout-ms", "x", SCRIPTED), 64);
    assert_int_equal(RUN(SCRIPTED, EICAR), 64);
}

#define CASE(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(eicar_passes),
        CASE(scripted_passes),
        CASE(hashlist_passes),
        CASE(hashlist_with_a_list_that_is_cut_fails_with_what_to_do),
        CASE(yara_passes),
        CASE(command_passes),
        CASE(yara_without_rules_fails_with_what_to_do),
        CASE(a_provider_that_dies_is_found_out_and_its_signal_named),
        CASE(a_provider_that_ends_is_found_out),
        CASE(a_provider_that_hangs_is_found_out_and_soon_given_up),
        CASE(a_provider_that_calls_everything_good_is_found_out),
        CASE(a_provider_that_claims_full_coverage_of_half_is_found_out),
        CASE(a_provider_that_never_looks_is_found_out),
        CASE(a_provider_without_samples_is_said_to_have_proven_nothing),
        CASE(a_provider_that_leaks_is_found_out),
        CASE(a_provider_that_finds_things_in_clean_contents_is_found_out),
        CASE(a_provider_that_changes_its_mind_is_found_out),
        CASE(a_provider_that_writes_into_its_channel_is_found_out),
        CASE(a_provider_that_does_what_is_forbidden_is_found_out),
        CASE(a_provider_that_does_not_load_fails_with_its_reason),
        CASE(a_provider_that_dies_while_loading_fails),
        CASE(a_provider_that_misses_its_own_sample_fails),
        CASE(a_provider_that_takes_beginnings_and_misses_one_fails),
        CASE(a_provider_with_flags_that_nobody_knows_fails),
        CASE(what_is_no_module_fails),
        CASE(what_is_not_there_cannot_be_checked),
        CASE(wrong_usage_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

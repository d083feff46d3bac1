/* The client policy file: what it says, and that nothing wrong in it goes unnoticed or pays. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pes/enums.h>

#include "client/client_policy.h"
#include "testing.h"

static struct client_policy parse(const char *text)
{
    struct client_policy policy;

    client_policy_parse(&policy, "client.conf", text, strlen(text));
    return policy;
}

static void an_empty_file_means_installed(void **state)
{
    struct client_policy policy = parse("");

    assert_true(policy.is_installed);
    assert_string_equal(policy.error, "");
    assert_int_equal(client_policy_down(&policy, PES_KIND_COMMAND_PASTED), PES_FAIL_WISH_WARN);
    assert_int_equal(client_policy_down(&policy, PES_KIND_DOCUMENT_PDF), PES_FAIL_WISH_ALLOW);
}

static void every_key_is_understood(void **state)
{
    struct client_policy policy = parse("# a comment\n"
                                        "  not-installed =warn  # one more\n"
                                        "\n"
                                        "down= deny\r\n"
                                        "down.script.* = allow\n"
                                        "down.script.shell = warn\n"
                                        "broker-uid = 64001\n"
                                        "locked = yes"); /* no newline at the end */

    assert_string_equal(policy.error, "");
    assert_int_equal(policy.not_installed, PES_FAIL_WISH_WARN);
    assert_int_equal(client_policy_down(&policy, PES_KIND_DOCUMENT_PDF), PES_FAIL_WISH_DENY);
    assert_int_equal(client_policy_down(&policy, PES_KIND_SCRIPT_PYTHON), PES_FAIL_WISH_ALLOW);
    assert_int_equal(client_policy_down(&policy, PES_KIND_SCRIPT_SHELL), PES_FAIL_WISH_WARN);
    assert_true(policy.has_broker_uid);
    assert_int_equal(policy.broker_uid, 64001);
    assert_true(policy.is_locked);
}

static void a_kind_of_the_future_is_taken_as_one_that_runs(void **state)
{
    struct client_policy policy = parse("");

    assert_int_equal(client_policy_down(&policy, 99999), PES_FAIL_WISH_WARN);
}

static void each_fault_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"\n\ndwn = deny\n", "client.conf:3: unknown key 'dwn'"},
        {"down = maybe\n", "client.conf:1: expected allow, warn or deny, not 'maybe'"},
        {"down =\n", "client.conf:1: expected allow, warn or deny, not ''"},
        {"down\n", "client.conf:1: expected key = value, not 'down'"},
        {"down.scrpt.* = deny\n", "client.conf:1: unknown kind 'scrpt.*'"},
        {"down. = deny\n", "client.conf:1: unknown key 'down.'"},
        {"down = deny\ndown = allow\n", "client.conf:2: a second value for 'down'"},
        {"down.url = deny\ndown.url = allow\n", "client.conf:2: a second value for kind 'url'"},
        {"broker-uid = root\n", "client.conf:1: expected a user id, not 'root'"},
        {"broker-uid = -1\n", "client.conf:1: expected a user id, not '-1'"},
        {"broker-uid = 4294967295\n", "client.conf:1: expected a user id, not '4294967295'"},
        {"broker-uid = 99999999999999999999\n",
         "client.conf:1: expected a user id, not '99999999999999999999'"},
        {"locked = true\n", "client.conf:1: expected yes or no, not 'true'"},
        {"a\x1b[31m = b\n", "client.conf:1: unknown key 'a\\x1b[31m'"},
        {"down = allow\ndwn = deny\nlocked = x\n", "client.conf:2: unknown key 'dwn'"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client_policy policy = parse(cases[i].text);
        char *x = strstr(policy.error, "\\x1B"); /* either case of hex will do */

        if (x) {
            x[3] = 'b';
        }
        assert_string_equal(policy.error, cases[i].error);
    }
}

static void a_faulty_file_is_at_least_a_warning_for_every_kind(void **state)
{
    struct client_policy policy = parse("down = allow\ndown.url = deny\noops\n");

    assert_int_equal(client_policy_down(&policy, PES_KIND_GENERIC), PES_FAIL_WISH_WARN);
    assert_int_equal(client_policy_down(&policy, PES_KIND_URL), PES_FAIL_WISH_DENY);
    assert_int_equal(client_policy_not_installed(&policy), PES_FAIL_WISH_WARN);
}

static void a_zero_byte_does_not_end_a_line_early(void **state)
{
    struct client_policy policy;

    client_policy_parse(&policy, "client.conf", "down = deny\0 no\n", 16);
    assert_string_not_equal(policy.error, "");
    client_policy_parse(&policy, "client.conf", "down.url\0x = deny\n", 18);
    assert_string_not_equal(policy.error, "");
    assert_int_equal(policy.n_rules, 0);
}

static void more_kinds_than_fit_are_a_fault(void **state)
{
    char text[4096] = "";

    for (int i = 0; i < 2; i++) {
        static const char *kinds[] = {
            "script.shell",  "script.powershell", "script.python", "script.javascript",
            "script.php",    "script.perl",       "script.ruby",   "script.lua",
            "script.vba",    "script.sql",        "script.other",  "script.fragment",
            "macro.trace",   "code.elf",          "code.pe",       "code.macho",
            "code.bytecode", "code.wasm",         "archive",       "download",
            "mail.message",  "mail.attachment",   "url",           "message.text",
            "clipboard",     "prompt.user",       "package",       "elevation",
            "config",        "model.file",        "operation",     "generic",
            "document.pdf",
        };

        text[0] = '\0';
        for (size_t k = 0; k < 32u + (unsigned)i; k++) {
            strcat(strcat(strcat(text, "down."), kinds[k]), " = deny\n");
        }
        assert_int_equal(parse(text).error[0] != '\0', i);
    }
}

struct files {
    char folder[32];
    char system[64], other[64];
};

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int make_files(void **state)
{
    static struct files files;

    strcpy(files.folder, "/tmp/pes-policy-XXXXXX");
    assert_non_null(mkdtemp(files.folder));
    snprintf(files.system, sizeof(files.system), "%s/system.conf", files.folder);
    snprintf(files.other, sizeof(files.other), "%s/other.conf", files.folder);
    *state = &files;
    return 0;
}

static int remove_files(void **state)
{
    struct files *files = *state;

    unlink(files->system);
    unlink(files->other);
    rmdir(files->system);
    return rmdir(files->folder);
}

static void no_file_means_not_installed(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    client_policy_load(&policy, files->system, NULL);
    assert_false(policy.is_installed);
    assert_string_equal(policy.error, "");
    assert_int_equal(client_policy_not_installed(&policy), PES_FAIL_WISH_ALLOW);
}

static void the_environment_s_file_replaces_the_system_s(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    write_file(files->system, "down = allow\n", 0644);
    write_file(files->other, "down = deny\nlocked = yes\n", 0644);
    client_policy_load(&policy, files->system, files->other);
    assert_int_equal(policy.down, PES_FAIL_WISH_DENY);
    assert_false(policy.is_locked); /* that is the system's to say */
}

static void a_named_file_that_cannot_be_used_leaves_the_system_s_in_force(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    write_file(files->system, "down = deny\nbroker-uid = 64001\n", 0644);
    client_policy_load(&policy, files->system, files->other);
    assert_non_null(strstr(policy.error, "other.conf: is missing"));
    assert_int_equal(client_policy_down(&policy, PES_KIND_GENERIC), PES_FAIL_WISH_DENY);
    assert_true(policy.is_lost && policy.has_broker_uid);
    write_file(files->other, "down = allow\n", 0666);
    client_policy_load(&policy, files->system, files->other);
    assert_non_null(strstr(policy.error, "could have been written by anybody"));
    assert_int_equal(client_policy_down(&policy, PES_KIND_GENERIC), PES_FAIL_WISH_DENY);
}

static void a_named_file_that_is_missing_is_at_least_a_warning(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    client_policy_load(&policy, files->system, files->other); /* neither is there */
    assert_true(policy.is_installed);
    assert_string_not_equal(policy.error, "");
    assert_int_equal(client_policy_down(&policy, PES_KIND_GENERIC), PES_FAIL_WISH_WARN);
    assert_int_equal(client_policy_not_installed(&policy), PES_FAIL_WISH_WARN);
}

static void a_locked_policy_cannot_be_replaced(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    write_file(files->system, "down = deny\nlocked = yes\n", 0644);
    write_file(files->other, "down = allow\n", 0644);
    client_policy_load(&policy, files->system, files->other);
    assert_int_equal(policy.down, PES_FAIL_WISH_DENY);
    assert_true(policy.is_locked);
}

static void a_faulty_system_policy_counts_as_locked(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    write_file(files->system, "lockd = yes\n", 0644);
    write_file(files->other, "down = allow\n", 0644);
    client_policy_load(&policy, files->system, files->other);
    assert_string_not_equal(policy.error, "");
    assert_true(policy.is_locked);
}

static void a_file_that_anybody_can_write_is_refused(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    write_file(files->system, "down = allow\n", 0666);
    client_policy_load(&policy, files->system, NULL);
    assert_true(policy.is_installed);
    assert_non_null(strstr(policy.error, "could have been written by anybody"));
    assert_int_equal(client_policy_down(&policy, PES_KIND_GENERIC), PES_FAIL_WISH_WARN);
}

static void a_stranger_s_file_is_refused(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    if (geteuid() != 0) {
        skip_because("only root can give files away");
    }
    write_file(files->system, "down = allow\n", 0644);
    assert_int_equal(chown(files->system, 1234, 1234), 0);
    client_policy_load(&policy, files->system, NULL);
    assert_string_not_equal(policy.error, "");
}

static void what_is_no_file_or_too_large_is_refused(void **state)
{
    struct files *files = *state;
    struct client_policy policy;

    assert_int_equal(mkdir(files->system, 0755), 0);
    client_policy_load(&policy, files->system, NULL);
    assert_non_null(strstr(policy.error, "is not a regular file"));
    rmdir(files->system);

    assert_int_equal(mkfifo(files->system, 0644), 0);
    client_policy_load(&policy, files->system, NULL); /* and does not wait for a writer */
    assert_non_null(strstr(policy.error, "is not a regular file"));
    unlink(files->system);

    write_file(files->system, "", 0644);
    assert_int_equal(truncate(files->system, CLIENT_POLICY_FILE_BYTES + 1), 0);
    client_policy_load(&policy, files->system, NULL);
    assert_non_null(strstr(policy.error, "is too large"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_means_installed),
        cmocka_unit_test(every_key_is_understood),
        cmocka_unit_test(a_kind_of_the_future_is_taken_as_one_that_runs),
        cmocka_unit_test(each_fault_is_named_with_its_line),
        cmocka_unit_test(a_faulty_file_is_at_least_a_warning_for_every_kind),
        cmocka_unit_test(a_zero_byte_does_not_end_a_line_early),
        cmocka_unit_test(more_kinds_than_fit_are_a_fault),
        cmocka_unit_test_setup_teardown(no_file_means_not_installed, make_files, remove_files),
        cmocka_unit_test_setup_teardown(the_environment_s_file_replaces_the_system_s, make_files,
                                        remove_files),
        cmocka_unit_test_setup_teardown(
            a_named_file_that_cannot_be_used_leaves_the_system_s_in_force, make_files,
            remove_files),
        cmocka_unit_test_setup_teardown(a_named_file_that_is_missing_is_at_least_a_warning,
                                        make_files, remove_files),
        cmocka_unit_test_setup_teardown(a_locked_policy_cannot_be_replaced, make_files,
                                        remove_files),
        cmocka_unit_test_setup_teardown(a_faulty_system_policy_counts_as_locked, make_files,
                                        remove_files),
        cmocka_unit_test_setup_teardown(a_file_that_anybody_can_write_is_refused, make_files,
                                        remove_files),
        cmocka_unit_test_setup_teardown(a_stranger_s_file_is_refused, make_files, remove_files),
        cmocka_unit_test_setup_teardown(what_is_no_file_or_too_large_is_refused, make_files,
                                        remove_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

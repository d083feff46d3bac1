/* Options of `pes scan`: what is understood, and that the rest is refused. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <pes/enums.h>

#include "cli/scan_options.h"
#include "testing.h"

#define MAX_ARGS 16

static int parse(struct scan_options *ret_options, const char *words)
{
    static char buffer[512];
    static char *argv[MAX_ARGS + 1];
    int argc = 0;

    snprintf(buffer, sizeof(buffer), "scan %s", words);
    for (char *word = strtok(buffer, " "); word && argc < MAX_ARGS; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    optind = 0; /* getopt: begin anew */
    opterr = 0;
    return scan_options_parse(ret_options, argc, argv);
}

static void without_options_files_are_whole_and_kinds_guessed(void **state)
{
    struct scan_options o;

    assert_int_equal(parse(&o, "a b"), 0);
    assert_int_equal(o.n_paths, 2);
    assert_string_equal(o.paths[0], "a");
    assert_int_equal(o.kind, PES_KIND_NONE);
    assert_int_equal(o.split, ITEMS_WHOLE);
    assert_int_equal(o.n_jobs, SCAN_JOBS_DEFAULT);
    assert_int_equal(o.timeout_ms, SCAN_TIMEOUT_MS_DEFAULT);
    assert_false(o.is_json || o.is_private || o.is_uncached || o.is_recursive || o.is_verbose);
}

static void every_option_is_understood(void **state)
{
    struct scan_options o;

    assert_int_equal(parse(&o, "--kind command.pasted --json --no-cache -r --private --verbose "
                               "--origin-url http://a/ --app x --reason paste f"),
                     0);
    assert_int_equal(o.kind, PES_KIND_COMMAND_PASTED);
    assert_int_equal(o.reason, PES_REASON_PASTE);
    assert_string_equal(o.origin_url, "http://a/");
    assert_string_equal(o.app, "x");
    assert_true(o.is_json && o.is_private && o.is_uncached && o.is_recursive && o.is_verbose);
    assert_int_equal(parse(&o, "--referrer http://b/ --session s1 --jobs 256 --timeout 5s -0 f"),
                     0);
    assert_string_equal(o.referrer, "http://b/");
    assert_string_equal(o.session, "s1");
    assert_int_equal(o.n_jobs, 256);
    assert_int_equal(o.timeout_ms, 5000);
    assert_int_equal(o.split, ITEMS_ZEROS);
}

static void lines_without_a_path_come_from_standard_input(void **state)
{
    struct scan_options o;

    assert_int_equal(parse(&o, "--lines"), 0);
    assert_int_equal(o.n_paths, 1);
    assert_string_equal(o.paths[0], "-");
}

static void times_are_milliseconds_or_seconds(void **state)
{
    struct scan_options o;

    assert_int_equal(parse(&o, "--timeout 800 f"), 0);
    assert_int_equal(o.timeout_ms, 800);
    assert_int_equal(parse(&o, "--timeout 800ms f"), 0);
    assert_int_equal(o.timeout_ms, 800);
    assert_int_equal(parse(&o, "--timeout 3600s f"), 0);
    assert_int_equal(o.timeout_ms, 3600000);
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "--kind nonsense f",
        "--kind none f",
        "--reason nonsense f",
        "--timeout 0 f",
        "--timeout -5 f",
        "--timeout 5m f",
        "--timeout 3601s f",
        "--timeout 99999999999999999999 f",
        "--jobs 0 f",
        "--jobs 257 f",
        "--jobs 3x f",
        "--lines -0 f",
        "--unknown f",
        "-x f",
        "--json=1 f",
        "f --kind",
    };
    struct scan_options o;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (parse(&o, wrong[i]) != SCAN_OPTIONS_E_USAGE) {
            fail_msg("'%s' was not refused", wrong[i]);
        }
    }
    assert_int_equal(parse(&o, "--help"), SCAN_OPTIONS_E_HELP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_files_are_whole_and_kinds_guessed),
        cmocka_unit_test(every_option_is_understood),
        cmocka_unit_test(lines_without_a_path_come_from_standard_input),
        cmocka_unit_test(times_are_milliseconds_or_seconds),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

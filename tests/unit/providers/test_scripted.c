/* The scripted provider: other tests rely on its doing what it is told, and nothing else. */
#include <string.h>

#include "module_host.h"
#include "testing.h"

static struct module_host host;
static struct pes_scan scan;

static int group_set_up(void **state)
{
    module_host_open(&host, SCRIPTED_MODULE);
    return 0;
}

static int set_up(void **state)
{
    return module_host_load(&host, NULL, NULL);
}

static void tell(const char *text)
{
    assert_int_equal(module_host_scan_text(&host, &scan, text), 0);
}

static void without_a_command_it_finds_nothing(void **state)
{
    tell("just text; found X malicious");
    assert_int_equal(scan.n_findings, 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
}

static void commands_of_a_line_are_obeyed_in_order(void **state)
{
    tell("x\n# PES-SCRIPT: found One suspicious; found Two test_sample ;decoded hello "
         "there\r\nfound X");
    assert_int_equal(scan.n_findings, 2);
    assert_string_equal(scan.findings[0].detection, "One");
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_SUSPICIOUS);
    assert_int_equal(scan.findings[1].verdict, PES_VERDICT_TEST_SAMPLE);
    assert_string_equal(scan.decoded, "hello there");
}

static void several_lines_are_obeyed(void **state)
{
    tell("PES-SCRIPT: found One malicious\nPES-SCRIPT: coverage encrypted");
    assert_int_equal(scan.n_findings, 1);
    assert_int_equal(scan.coverage, PES_COVERAGE_ENCRYPTED);
}

static void a_misspelt_command_is_noticed(void **state)
{
    tell("PES-SCRIPT: fuond One malicious");
    assert_non_null(module_host_found(&scan, "Unknown-Command"));
}

static void a_flood_has_as_many_findings_as_were_asked_for(void **state)
{
    tell("PES-SCRIPT: flood 40");
    assert_int_equal(scan.n_findings, 40);
}

static void failing_is_failing(void **state)
{
    assert_int_equal(module_host_scan_text(&host, &scan, "PES-SCRIPT: fail"), -1);
}

static void an_instance_with_a_name_obeys_only_what_is_addressed_to_it(void **state)
{
    static const char *const options[] = {"only", "alpha", NULL};

    assert_int_equal(module_host_load(&host, NULL, options), 0);
    tell("PES-SCRIPT: @alpha found Mine malicious; @beta found Theirs malicious; found All "
         "malicious");
    assert_int_equal(scan.n_findings, 1);
    assert_string_equal(scan.findings[0].detection, "Mine");
}

static void an_instance_without_a_name_obeys_nothing_that_is_addressed(void **state)
{
    tell("PES-SCRIPT: @alpha found Mine malicious; found All malicious");
    assert_int_equal(scan.n_findings, 1);
    assert_string_equal(scan.findings[0].detection, "All");
}

static void always_is_for_every_content_but_the_sample(void **state)
{
    static const char *const options[] = {"always", "found Always suspicious", NULL};
    const struct pes_sample *samples;

    assert_int_equal(module_host_load(&host, NULL, options), 0);
    tell("anything");
    assert_non_null(module_host_found(&scan, "Always"));
    assert_int_equal(host.provider->samples(host.state, &samples), 1);
    assert_int_equal(module_host_scan(&host, &scan, samples[0].bytes, samples[0].n_bytes), 0);
    assert_int_equal(scan.n_findings, 1);
    assert_string_equal(scan.findings[0].detection, "Scripted-Sample");
}

static void loading_fails_when_told_to(void **state)
{
    static const char *const options[] = {"load", "fail", NULL};

    assert_int_equal(module_host_load(&host, NULL, options), -1);
    assert_non_null(strstr(host.load.failure, "told to fail"));
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_a_command_it_finds_nothing),
        CASE(commands_of_a_line_are_obeyed_in_order),
        CASE(several_lines_are_obeyed),
        CASE(a_misspelt_command_is_noticed),
        CASE(a_flood_has_as_many_findings_as_were_asked_for),
        CASE(failing_is_failing),
        CASE(an_instance_with_a_name_obeys_only_what_is_addressed_to_it),
        CASE(an_instance_without_a_name_obeys_nothing_that_is_addressed),
        CASE(always_is_for_every_content_but_the_sample),
        CASE(loading_fails_when_told_to),
    };

    return cmocka_run_group_tests(tests, group_set_up, NULL);
}

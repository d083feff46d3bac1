/* The eicar provider: three strings, wherever and however they are written. */
#include <stdio.h>
#include <string.h>

#include "module_host.h"
#include "testing.h"

static struct module_host host;

/* As in the provider: in two halves, so that no scanner takes this test for the real thing. */
#define EICAR_HALF_1 "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-"
#define EICAR_HALF_2 "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#define EICAR_BYTES  68

static void eicar_text(char ret_text[EICAR_BYTES + 1])
{
    snprintf(ret_text, EICAR_BYTES + 1, "%s%s", EICAR_HALF_1, EICAR_HALF_2);
}

static int set_up(void **state)
{
    module_host_open(&host, EICAR_MODULE);
    return module_host_load(&host, NULL, NULL);
}

static void every_sample_is_found_as_a_test_sample(void **state)
{
    const struct pes_sample *samples;
    size_t n = host.provider->samples(host.state, &samples);
    struct pes_scan scan;

    assert_int_equal(n, 9);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(module_host_scan(&host, &scan, samples[i].bytes, samples[i].n_bytes), 0);
        assert_int_equal(scan.n_findings, 1);
        assert_int_equal(scan.findings[0].verdict, PES_VERDICT_TEST_SAMPLE);
        assert_int_equal(scan.findings[0].advice, PES_ADVICE_TEST_ONLY);
        assert_int_equal(scan.findings[0].length, samples[i].n_bytes);
        assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
        assert_int_equal(scan.n_examined, samples[i].n_bytes);
    }
}

static void the_string_in_the_midst_of_others_is_found_with_its_place(void **state)
{
    char text[EICAR_BYTES + 1];
    char content[256];
    struct pes_scan scan;

    eicar_text(text);
    snprintf(content, sizeof(content), "before %s after", text);
    assert_int_equal(module_host_scan_text(&host, &scan, content), 0);
    assert_string_equal(scan.findings[0].detection, "EICAR-Test-File");
    assert_int_equal(scan.findings[0].offset, 7);
    assert_int_equal(scan.findings[0].length, EICAR_BYTES);
}

static void a_string_that_lacks_its_last_byte_is_not_found(void **state)
{
    char text[EICAR_BYTES + 1];
    struct pes_scan scan;

    eicar_text(text);
    assert_int_equal(module_host_scan(&host, &scan, text, EICAR_BYTES - 1), 0);
    assert_int_equal(scan.n_findings, 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
}

static void a_string_that_is_there_twice_is_reported_once(void **state)
{
    char text[EICAR_BYTES + 1];
    char content[256];
    struct pes_scan scan;

    eicar_text(text);
    snprintf(content, sizeof(content), "%s%s", text, text);
    assert_int_equal(module_host_scan_text(&host, &scan, content), 0);
    assert_int_equal(scan.n_findings, 1);
}

static void nothing_is_found_in_no_bytes(void **state)
{
    struct pes_scan scan;

    assert_int_equal(module_host_scan(&host, &scan, "", 0), 0);
    assert_int_equal(scan.n_findings, 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
}

/* A host's own scanner would take the module away. */
static void the_module_itself_holds_no_whole_string(void **state)
{
    static char module[1 << 20];
    FILE *file = fopen(EICAR_MODULE, "re");
    struct pes_scan scan;
    size_t n;

    assert_non_null(file);
    n = fread(module, 1, sizeof(module), file);
    fclose(file);
    assert_true(n > 0 && n < sizeof(module));
    assert_int_equal(module_host_scan(&host, &scan, module, n), 0);
    assert_int_equal(scan.n_findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_found_as_a_test_sample),
        cmocka_unit_test(the_string_in_the_midst_of_others_is_found_with_its_place),
        cmocka_unit_test(a_string_that_lacks_its_last_byte_is_not_found),
        cmocka_unit_test(a_string_that_is_there_twice_is_reported_once),
        cmocka_unit_test(nothing_is_found_in_no_bytes),
        cmocka_unit_test(the_module_itself_holds_no_whole_string),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}

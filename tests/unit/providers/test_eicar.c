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

    assert_int_equal(n, 18);
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

/* As Python and JavaScript, a URL and a web page may have it; each with its place. */
static void escapes_and_base64_are_looked_through(void **state)
{
    static const struct {
        const char *before;
        const char *format; /* of one character; NULL: only the backslash is doubled */
        const char *after;
    } cases[] = {
        {"<script>var x=\"", NULL, "\";</script>"},
        {"print('", "\\x%02x", "')"},
        {"x = \"", "\\u%04X", "\""},
        {"printf '", "\\%03o", "'"},
        {"https://host/?q=", "%%%02X", "&x=1"},
        {"<p>", "&#%d;", "</p>"},
        {"<p>", "&#x%x;", "</p>"},
    };
    static char content[1024];
    char text[EICAR_BYTES + 1];
    struct pes_scan scan;

    eicar_text(text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = (size_t)snprintf(content, sizeof(content), "%s", cases[i].before);
        size_t start = n;

        for (const char *c = text; *c != '\0'; c++) {
            if (cases[i].format) {
                n += (size_t)snprintf(content + n, sizeof(content) - n, cases[i].format, *c);
            } else {
                n += (size_t)snprintf(content + n, sizeof(content) - n, *c == '\\' ? "%c%c" : "%c",
                                      *c, *c);
            }
        }
        snprintf(content + n, sizeof(content) - n, "%s", cases[i].after);
        assert_int_equal(module_host_scan_text(&host, &scan, content), 0);
        assert_int_equal(scan.n_findings, 1);
        assert_string_equal(scan.findings[0].detection, "EICAR-Test-File");
        assert_int_equal(scan.findings[0].offset, start);
        assert_int_equal(scan.findings[0].length, n - start);
        assert_int_equal(module_host_scan(&host, &scan, content, n - 1), 0); /* cut */
        assert_int_equal(scan.n_findings, 0);
    }
}

/* Nothing, "b" and "aa" before it: each alignment. */
static void base64_of_every_alignment_is_looked_through(void **state)
{
    static const char *const halves[][2] = {
        {"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU",
         "QU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="},
        {"Ylg1TyFQJUBBUFs0XFBaWDU0KFBeKTdDQyk3fSRFSUNBUi1T",
         "VEFOREFSRC1BTlRJVklSVVMtVEVTVC1GSUxFISRIK0gq"},
        {"YWFYNU8hUCVAQVBbNFxQWlg1NChQXik3Q0MpN30kRUlDQVIt",
         "U1RBTkRBUkQtQU5USVZJUlVTLVRFU1QtRklMRSEkSCtIKg=="},
    };

    for (size_t i = 0; i < 3; i++) {
        char content[256];
        struct pes_scan scan;

        snprintf(content, sizeof(content), "echo %s%s | base64 -d", halves[i][0], halves[i][1]);
        assert_int_equal(module_host_scan_text(&host, &scan, content), 0);
        assert_int_equal(scan.n_findings, 1);
        assert_string_equal(scan.findings[0].detection, "EICAR-Test-File");
        snprintf(content, sizeof(content), "echo %s | base64 -d", halves[i][0]);
        assert_int_equal(module_host_scan_text(&host, &scan, content), 0);
        assert_int_equal(scan.n_findings, 0);
    }
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
        cmocka_unit_test(escapes_and_base64_are_looked_through),
        cmocka_unit_test(base64_of_every_alignment_is_looked_through),
        cmocka_unit_test(a_string_that_is_there_twice_is_reported_once),
        cmocka_unit_test(nothing_is_found_in_no_bytes),
        cmocka_unit_test(the_module_itself_holds_no_whole_string),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}

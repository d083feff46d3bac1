/*
 * The clamav provider, in this process: what it loads and refuses, what it finds, and that it never
 * calls examined what it did not look at. All content is made here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "clamav_signatures.h"
#include "module_host.h"
#include "testing.h"

static struct module_host host;
static struct pes_scan scan;
static char scratch[] = "/tmp/pes-clamav-scratch.XXXXXX";
static char database[] = "/tmp/pes-clamav-database.XXXXXX";
static char definitions[512];

static void load(const char *const *options)
{
    if (module_host_load(&host, definitions, options) < 0) {
        fail_msg("%s", host.load.failure);
    }
}

static void expect_refusal(const char *paths, const char *const *options, const char *text)
{
    assert_int_equal(module_host_load(&host, paths, options), -1);
    if (!strstr(host.load.failure, text)) {
        fail_msg("'%s' is not in '%s'", text, host.load.failure);
    }
}

/* ---- loading ---- */

static void the_version_is_count_and_digest_of_the_files(void **state)
{
    char first[64];

    load(NULL);
    assert_memory_equal(host.load.version, "3 signatures, ", 14);
    assert_int_equal(strlen(host.load.version), 14 + 12);
    assert_non_null(strstr(host.load.note, "3 signatures in 2 files"));
    snprintf(first, sizeof(first), "%s", host.load.version);
    load(NULL);
    assert_string_equal(host.load.version, first);
    signature_file(database, "more.hdb", "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Hash\n");
    load(NULL);
    assert_memory_equal(host.load.version, "4 signatures, ", 14);
    assert_string_not_equal(host.load.version + 14, first + 14);
}

static void bad_definitions_are_refused_with_place_and_reason(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *expected;
    } files[] = {
        {"x.ndb", "Good:0:*:aabbccddee\nBad:0:*:zz\n", "/x.ndb:2: Malformed database"},
        {"x.hdb", "00:1:x\n", "/x.hdb:1: "},
        {"x.ldb", "junk\n", "/x.ldb:1: Malformed database"},
        {"x.cvd", "ClamAV-VDB:junk", "/x.cvd: Broken or not a CVD file"},
        {"x.yar", "rule x { condition: nonsense }\n", "undefined identifier"},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];

        signature_file(database, files[i].name, files[i].text);
        expect_refusal(definitions, NULL, files[i].expected);
        assert_non_null(strstr(host.load.failure, "mend it or take it away"));
        snprintf(path, sizeof(path), "%s/%s", database, files[i].name);
        assert_int_equal(unlink(path), 0);
    }
    expect_refusal("/no/such/folder", NULL, "/no/such/folder: does not exist");
    expect_refusal(scratch, NULL, ": no database in it");
    expect_refusal("", NULL, "no database given");
    expect_refusal("/etc/passwd", NULL, "/etc/passwd: libclamav knows no database of this suffix");
}

static void options_out_of_bounds_are_refused_by_name(void **state)
{
    static const char *const bad[][3] = {
        {"max-filesize", "0", NULL},  {"max-filesize", "3G", NULL},   {"max-filesize", "10X", NULL},
        {"max-scansize", "-1", NULL}, {"max-recursion", "101", NULL}, {"max-files", "", NULL},
        {"all-match", "maybe", NULL}, {"max-scantime", "1K", NULL},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char expected[64];

        snprintf(expected, sizeof(expected), "option %s=%s: give ", bad[i][0], bad[i][1]);
        expect_refusal(definitions, bad[i], expected);
    }
}

static void without_a_folder_for_temporary_files_it_refuses(void **state)
{
    host.scratch = NULL;
    expect_refusal(definitions, NULL, "there is none: set `scratch-mib`");
    host.scratch = scratch;
}

static void its_own_samples_are_found(void **state)
{
    const struct pes_sample *samples;
    size_t n;

    load(NULL);
    n = host.provider->samples(host.state, &samples);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(module_host_scan(&host, &scan, samples[i].bytes, samples[i].n_bytes), 0);
        assert_int_equal(scan.n_findings, 1);
        assert_int_equal(scan.findings[0].verdict, PES_VERDICT_TEST_SAMPLE);
        assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    }
    if (module_host_load(&host, database, NULL) < 0) { /* without pes-selftest.ndb */
        fail_msg("%s", host.load.failure);
    }
    assert_int_equal(host.provider->samples(host.state, &samples), 0);
    assert_non_null(strstr(host.load.note, "nothing proves that it works"));
}

/* ---- scanning ---- */

static void expect_coverage(const void *bytes, size_t n_bytes, uint32_t coverage)
{
    assert_int_equal(module_host_scan(&host, &scan, bytes, n_bytes), 0);
    assert_int_equal(scan.coverage, coverage);
    assert_int_not_equal(scan.verdict, PES_VERDICT_KNOWN_GOOD);
}

static void eicar_is_a_test_sample_and_named_once_for_each_signature(void **state)
{
    load(NULL);
    expect_coverage(EICAR_TEXT, strlen(EICAR_TEXT), PES_COVERAGE_FULL);
    assert_int_equal(scan.n_findings, 3); /* more.hdb is there */
    assert_non_null(module_host_found(&scan, "Eicar-Test.UNOFFICIAL"));
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_TEST_SAMPLE);
    assert_int_equal(scan.n_examined, strlen(EICAR_TEXT));
}

static void without_all_match_the_first_is_enough(void **state)
{
    static const char *const options[] = {"all-match", "no", NULL};

    load(options);
    expect_coverage(EICAR_TEXT, strlen(EICAR_TEXT), PES_COVERAGE_FULL);
    assert_int_equal(scan.n_findings, 1);
    load(NULL);
}

static void what_is_too_small_too_large_or_too_late_is_said(void **state)
{
    static const char *const options[] = {"max-filesize", "64K", NULL};
    static char zeros[65537];

    load(options);
    expect_coverage("", 0, PES_COVERAGE_FULL);
    expect_coverage("12345", 5, PES_COVERAGE_TOO_SMALL);
    expect_coverage("123456", 6, PES_COVERAGE_FULL);
    expect_coverage(zeros, sizeof(zeros) - 1, PES_COVERAGE_FULL);
    expect_coverage(zeros, sizeof(zeros), PES_COVERAGE_TOO_LARGE);
    assert_int_equal(scan.n_examined, 0);
    host.time_left_us = 1;
    expect_coverage("123456", 6, PES_COVERAGE_PARTIAL_TIME);
    host.time_left_us = 0;
}

/* Packs by gzip. */
static size_t gzip(const void *bytes, size_t n_bytes, uint8_t *ret, size_t n_ret)
{
    z_stream stream = {
        .next_in = (Bytef *)(uintptr_t)bytes,
        .avail_in = (uInt)n_bytes,
        .next_out = ret,
        .avail_out = (uInt)n_ret,
    };

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return n_ret - stream.avail_out;
}

static void a_compressed_file_is_opened_and_a_cut_one_is_malformed(void **state)
{
    static uint8_t packed[65536], noise[5000];
    size_t n = gzip(EICAR_TEXT, strlen(EICAR_TEXT), packed, sizeof(packed));

    load(NULL);
    expect_coverage(packed, n, PES_COVERAGE_FULL);
    assert_non_null(module_host_found(&scan, "Eicar-Test.UNOFFICIAL"));
    for (size_t i = 0; i < sizeof(noise); i++) {
        noise[i] = (uint8_t)(i * i >> 3 ^ i * 31);
    }
    n = gzip(noise, sizeof(noise), packed, sizeof(packed));
    expect_coverage(packed, n, PES_COVERAGE_FULL);
    expect_coverage(packed, n / 2, PES_COVERAGE_MALFORMED);
}

static void what_is_larger_inside_than_allowed_is_said(void **state)
{
    static const char *const options[] = {"max-filesize", "64K", NULL};
    static char zeros[200000];
    static uint8_t packed[65536];
    size_t n = gzip(zeros, sizeof(zeros), packed, sizeof(packed));

    load(options);
    expect_coverage(packed, n, PES_COVERAGE_PARTIAL_SIZE);
    assert_int_equal(scan.n_findings, 0);
    load((const char *const[]){"max-filesize", "64K", "alert-limits", "yes", NULL});
    expect_coverage(packed, n, PES_COVERAGE_PARTIAL_SIZE);
    assert_int_equal(scan.n_findings, 1);
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_UNCOMMON);
    load(NULL);
}

static void layers_beyond_the_limit_are_said(void **state)
{
    static uint8_t buffers[2][65536];
    size_t n = gzip(EICAR_TEXT, strlen(EICAR_TEXT), buffers[0], sizeof(buffers[0]));

    for (int i = 0; i < 5; i++) {
        n = gzip(buffers[i % 2], n, buffers[1 - i % 2], sizeof(buffers[0]));
    }
    load((const char *const[]){"max-recursion", "4", NULL});
    expect_coverage(buffers[1], n, PES_COVERAGE_PARTIAL_DEPTH);
    load(NULL);
    expect_coverage(buffers[1], n, PES_COVERAGE_FULL);
    assert_non_null(module_host_found(&scan, "Eicar-Test.UNOFFICIAL"));
}

static void what_it_cannot_open_is_said(void **state)
{
    load(NULL);
    expect_coverage("\x28\xb5\x2f\xfd some zstd", 14, PES_COVERAGE_PARTIAL_DEPTH);
    expect_coverage("Rar!\x1a\x07\0 this is no plugin's day", 32, PES_COVERAGE_PARTIAL_DEPTH);
}

static void a_broken_scratch_folder_is_not_silence(void **state)
{
    load(NULL);
    assert_int_equal(rmdir(scratch), 0);
    expect_coverage(EICAR_TEXT, strlen(EICAR_TEXT), PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(mkdir(scratch, 0700), 0);
}

static int set_up(void **state)
{
    assert_non_null(mkdtemp(scratch));
    assert_non_null(mkdtemp(database));
    eicar_signatures(database);
    module_host_open(&host, CLAMAV_MODULE);
    host.scratch = scratch;
    snprintf(definitions, sizeof(definitions), "%s:%s", SIGNATURES, database);
    return 0;
}

static int tear_down(void **state)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/eicar.ndb", database);
    unlink(path);
    snprintf(path, sizeof(path), "%s/more.hdb", database);
    unlink(path);
    rmdir(database);
    assert_int_equal(rmdir(scratch), 0); /* nothing was left in it */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_is_count_and_digest_of_the_files),
        cmocka_unit_test(bad_definitions_are_refused_with_place_and_reason),
        cmocka_unit_test(options_out_of_bounds_are_refused_by_name),
        cmocka_unit_test(without_a_folder_for_temporary_files_it_refuses),
        cmocka_unit_test(its_own_samples_are_found),
        cmocka_unit_test(eicar_is_a_test_sample_and_named_once_for_each_signature),
        cmocka_unit_test(without_all_match_the_first_is_enough),
        cmocka_unit_test(what_is_too_small_too_large_or_too_late_is_said),
        cmocka_unit_test(a_compressed_file_is_opened_and_a_cut_one_is_malformed),
        cmocka_unit_test(what_is_larger_inside_than_allowed_is_said),
        cmocka_unit_test(layers_beyond_the_limit_are_said),
        cmocka_unit_test(what_it_cannot_open_is_said),
        cmocka_unit_test(a_broken_scratch_folder_is_not_silence),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

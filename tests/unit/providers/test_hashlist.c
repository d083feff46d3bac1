/* The hashlist provider: what it answers, and which lists it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hashlist_fixture.h"
#include "module_host.h"
#include "testing.h"

/* Digests of "one\n" and so on, by sha256sum, sha1sum and md5sum. */
#define ONE_SHA256 "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"
#define TWO_SHA256 "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a"
#define THREE_SHA1 "1e7720a3460b8a84ac4ba27880d64526a3872f1c"
#define FOUR_MD5   "75ffdb827341e578959bfcabde3789d8"

static struct module_host host;

/* A module is never unloaded. What was loaded stays in reach, so that a leak checker sees the rest.
 */
static void *states[64];
static size_t n_states;

static int group_set_up(void **state)
{
    module_host_open(&host, HASHLIST_MODULE);
    return 0;
}

static int set_up(void **state)
{
    (void)folder_make();
    return 0;
}

static int tear_down(void **state)
{
    folder_remove();
    return 0;
}

static void load(const char *definitions, const char *const *options)
{
    if (module_host_load(&host, definitions, options) < 0) {
        fail_msg("%s", host.load.failure);
    }
    assert_true(n_states < sizeof(states) / sizeof(states[0]));
    states[n_states++] = host.state;
}

static void load_text(const char *text)
{
    folder_build_text("l.hashlist", text);
    load(folder_path("l.hashlist"), NULL);
}

static void refuses(const char *definitions, const char *why)
{
    assert_int_equal(module_host_load(&host, definitions, NULL), -1);
    if (!strstr(host.load.failure, why)) {
        fail_msg("'%s' does not say '%s'", host.load.failure, why);
    }
}

static void what_is_denied_is_malicious_by_each_algorithm(void **state)
{
    static const char *const texts[] = {"one\n", "three\n", "four\n"};
    static const char *const rules[] = {"feed.txt:sha256", "feed.txt:sha1", "feed.txt:md5"};
    struct pes_scan scan;

    load_text(ONE_SHA256 "  Evil.One\n" THREE_SHA1 "  Evil.Three\n" FOUR_MD5 "  Evil.Four\n");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(module_host_scan_text(&host, &scan, texts[i]), 0);
        assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
        assert_int_equal(scan.n_examined, strlen(texts[i]));
        assert_int_equal(scan.n_findings, 1);
        assert_int_equal(scan.findings[0].verdict, PES_VERDICT_MALICIOUS);
        assert_string_equal(scan.findings[0].rule_id, rules[i]);
        assert_int_equal(scan.findings[0].length, strlen(texts[i]));
    }
}

static void what_is_on_no_list_gets_no_opinion(void **state)
{
    struct pes_scan scan;

    load_text(ONE_SHA256 "\n");
    assert_int_equal(module_host_scan_text(&host, &scan, "one"), 0);
    assert_int_equal(scan.n_findings, 0);
    assert_int_equal(scan.verdict, PES_VERDICT_NO_OPINION);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    assert_int_equal(module_host_scan(&host, &scan, "", 0), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_NO_OPINION);
}

static void what_is_allowed_is_known_good_by_sha256_only(void **state)
{
    static const char *const weak[] = {"weak-allow", "yes", NULL};
    static const char *const wrong[] = {"weak-allow", "maybe", NULL};
    struct pes_scan scan;

    folder_put_text("allow.txt", ONE_SHA256 "\n" FOUR_MD5 "\n");
    folder_build("l.hashlist", &(struct list_request){.path = "allow.txt", .role = FEED_ALLOW}, 1,
                 1);
    load(folder_path("l.hashlist"), NULL);
    assert_int_equal(module_host_scan_text(&host, &scan, "one\n"), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_KNOWN_GOOD);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    assert_int_equal(module_host_scan_text(&host, &scan, "four\n"), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_NO_OPINION);
    load(folder_path("l.hashlist"), weak);
    assert_int_equal(module_host_scan_text(&host, &scan, "four\n"), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_KNOWN_GOOD);
    assert_int_equal(module_host_load(&host, folder_path("l.hashlist"), wrong), -1);
    assert_non_null(strstr(host.load.failure, "it can be yes or no"));
}

static void without_time_for_every_byte_it_says_so_and_nothing_else(void **state)
{
    struct pes_scan scan = {
        .kind = PES_KIND_GENERIC, .bytes = "one\n", .n_bytes = 4, .time_left_us = 0};

    load_text(ONE_SHA256 "\n");
    assert_int_equal(host.provider->scan(host.state, &scan), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_TIME);
    assert_int_equal(scan.n_examined, 0);
    assert_int_equal(scan.n_findings, 0);
    /* No opinion would not count against the answer's coverage. */
    assert_int_not_equal(scan.verdict, PES_VERDICT_NO_OPINION);
    assert_int_not_equal(scan.verdict, PES_VERDICT_KNOWN_GOOD);
}

static void large_content_is_hashed_as_one(void **state)
{
    /* head -c 1000000 /dev/zero | sha256sum */
    static uint8_t zeros[1000000];
    struct pes_scan scan;

    load_text("d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025  Zeros\n");
    assert_int_equal(module_host_scan(&host, &scan, zeros, sizeof(zeros)), 0);
    assert_non_null(module_host_found(&scan, "Zeros"));
}

static void it_proves_itself_and_says_what_it_has(void **state)
{
    const struct pes_sample *samples;
    struct pes_scan scan;
    size_t n;

    load_text(ONE_SHA256 "\n" TWO_SHA256 "\n" FOUR_MD5 "\n");
    n = host.provider->samples(host.state, &samples);
    assert_int_equal(n, 1);
    assert_int_equal(samples[0].verdict, PES_VERDICT_TEST_SAMPLE);
    assert_int_equal(module_host_scan(&host, &scan, samples[0].bytes, samples[0].n_bytes), 0);
    assert_int_equal(scan.n_findings, 1);
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_TEST_SAMPLE);
    assert_string_equal(scan.findings[0].detection, "EICAR-Test-File");
    assert_string_equal(host.load.note, "3 denied, 0 allowed, 2 for tests in 1 list");
    assert_memory_equal(host.load.version, "5 entries, 2023-11-14, ", 23);
    assert_int_equal(strlen(host.load.version), 23 + 12);
}

static void a_folder_stands_for_its_lists(void **state)
{
    struct pes_scan scan;
    char paths[600];

    refuses(folder_path(""), "no *.hashlist in it");
    folder_build_text("a.hashlist", ONE_SHA256 "  One\n");
    folder_build_text("b.hashlist", TWO_SHA256 "  Two\n");
    folder_put_text("readme.txt", "not a list");
    load(folder_path(""), NULL);
    assert_string_equal(host.load.note, "2 denied, 0 allowed, 2 for tests in 2 lists");
    assert_int_equal(module_host_scan_text(&host, &scan, "one\n"), 0);
    assert_non_null(module_host_found(&scan, "One"));
    assert_int_equal(module_host_scan_text(&host, &scan, "two\n"), 0);
    assert_non_null(module_host_found(&scan, "Two"));
    snprintf(paths, sizeof(paths), "%s:%s", folder_path("a.hashlist"), folder_path("b.hashlist"));
    load(paths, NULL);
    assert_int_equal(module_host_scan_text(&host, &scan, "two\n"), 0);
    assert_non_null(module_host_found(&scan, "Two"));
}

static void deny_goes_before_allow_over_all_lists(void **state)
{
    struct pes_scan scan;

    folder_put_text("allow.txt", ONE_SHA256 "\n" TWO_SHA256 "\n");
    folder_build("a.hashlist", &(struct list_request){.path = "allow.txt", .role = FEED_ALLOW}, 1,
                 1);
    folder_build_text("b.hashlist", ONE_SHA256 "  One\n");
    load(folder_path(""), NULL);
    assert_int_equal(module_host_scan_text(&host, &scan, "one\n"), 0);
    assert_non_null(module_host_found(&scan, "One"));
    assert_int_equal(module_host_scan_text(&host, &scan, "two\n"), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_KNOWN_GOOD);
}

static void one_list_that_cannot_be_used_refuses_all(void **state)
{
    uint8_t *bytes;
    size_t n;

    refuses("", "no list given");
    refuses("/nonexistent/list", "does not exist; correct `definitions`");
    folder_build_text("a.hashlist", ONE_SHA256 "\n");
    bytes = folder_read("a.hashlist", &n);
    folder_put("b.hashlist", bytes, n - 8);
    refuses(folder_path(""), "b.hashlist: is cut off; make it again");
    bytes[40] ^= 1;
    folder_put("b.hashlist", bytes, n);
    refuses(folder_path(""), "b.hashlist: has a damaged header");
    bytes[40] ^= 1;
    bytes[256 + 32] ^= 1; /* a row: its block holds the test entry as well */
    folder_put("b.hashlist", bytes, n);
    refuses(folder_path(""), "b.hashlist: its own test entry is not found by sha256");
    free(bytes);
}

/*
 * Damage that the start does not meet: what cannot be read is not examined, which is not "not
 * listed". Row 0 is the test entry, 275a...; rows 1 to 20 begin with 28, the others with 2c.
 */
static void a_damaged_block_fails_the_scans_that_need_it(void **state)
{
    struct pes_scan scan;
    char text[60 * 65 + 1] = "";
    uint8_t *bytes;
    size_t n;

    for (unsigned i = 0; i < 60; i++) {
        sprintf(text + strlen(text), "%s%02x%.60s\n", i < 20 ? "28" : "2c", 0x80 + i % 40,
                SHA256_OF("0"));
    }
    folder_build_text("a.hashlist", text);
    bytes = folder_read("a.hashlist", &n);
    bytes[256 + 40 * 36 + 31] ^= 0x10; /* the last byte of a digest in the third block */
    folder_put("b.hashlist", bytes, n);
    free(bytes);
    load(folder_path("b.hashlist"), NULL);
    /* "two" would lie in the first block, "one" (2c8b...) in the third. */
    assert_int_equal(module_host_scan_text(&host, &scan, "two\n"), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_NO_OPINION);
    assert_int_equal(module_host_scan_text(&host, &scan, "one\n"), -1);
    load(folder_path("a.hashlist"), NULL);
    assert_int_equal(module_host_scan_text(&host, &scan, "one\n"), 0);
    assert_int_equal(scan.verdict, PES_VERDICT_NO_OPINION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_denied_is_malicious_by_each_algorithm, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_on_no_list_gets_no_opinion, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_allowed_is_known_good_by_sha256_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_time_for_every_byte_it_says_so_and_nothing_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_content_is_hashed_as_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_proves_itself_and_says_what_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_stands_for_its_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deny_goes_before_allow_over_all_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_list_that_cannot_be_used_refuses_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_block_fails_the_scans_that_need_it, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, group_set_up, NULL);
}

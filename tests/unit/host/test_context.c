/* The calls of pes/provider.h, as a module sees them. */
#include <stdio.h>
#include <string.h>

#include "host/load_context.h"
#include "host/scan_context.h"
#include "sys/clock.h"
#include "testing.h"

static struct wire_scan question;
static struct pes_scan scan;

static void add_item(struct wire_item *items, size_t *n, uint32_t field, const char *text,
                     uint64_t value)
{
    items[(*n)++] = (struct wire_item){.field = field, .text = wire_text(text), .value = value};
}

static int set_up(void **state)
{
    memset(&question, 0, sizeof(question));
    question.kind = PES_KIND_COMMAND_PASTED;
    question.flags = PES_SCAN_WANT_DETAILS;
    scan = (struct pes_scan){.question = &question, .bytes = (const uint8_t *)"abc", .n_bytes = 3};
    return 0;
}

static void a_question_is_given_as_it_is(void **state)
{
    size_t n;

    assert_int_equal(pes_scan_kind(&scan), PES_KIND_COMMAND_PASTED);
    assert_int_equal(pes_scan_flags(&scan), PES_SCAN_WANT_DETAILS);
    assert_memory_equal(pes_scan_bytes(&scan, &n), "abc", 3);
    assert_int_equal(n, 3);
}

static void a_claim_cannot_stand_in_for_a_verified_field(void **state)
{
    size_t n = 7;

    add_item(question.context, &question.n_context, PES_VERIFIED_UID, "", 42);
    add_item(question.context, &question.n_context, PES_VERIFIED_EXE_PATH, "/bin/good", 0);
    add_item(question.verified, &question.n_verified, PES_CLAIMED_APP_NAME, "odd", 0);
    assert_int_equal(pes_scan_number(&scan, PES_VERIFIED_UID), 0);
    assert_null(pes_scan_text(&scan, PES_VERIFIED_EXE_PATH, &n));
    assert_int_equal(n, 0);
    assert_null(pes_scan_text(&scan, PES_CLAIMED_APP_NAME, &n));
    add_item(question.verified, &question.n_verified, PES_VERIFIED_UID, "", 1000);
    assert_int_equal(pes_scan_number(&scan, PES_VERIFIED_UID), 1000);
}

static void a_text_may_be_empty_and_is_then_not_null(void **state)
{
    size_t n = 7;

    add_item(question.context, &question.n_context, PES_ORIGIN_URL, "http://x/", 0);
    add_item(question.context, &question.n_context, PES_SUBJECT_PATH, "", 0);
    assert_memory_equal(pes_scan_text(&scan, PES_ORIGIN_URL, &n), "http://x/", 9);
    assert_int_equal(n, 9);
    assert_non_null(pes_scan_text(&scan, PES_SUBJECT_PATH, &n));
    assert_int_equal(n, 0);
}

static void time_runs_out_and_stays_out(void **state)
{
    scan.deadline_us = clock_now_us() + 60000000;
    assert_true(pes_scan_time_left_us(&scan) > 50000000);
    scan.deadline_us = clock_now_us() - 1;
    assert_int_equal(pes_scan_time_left_us(&scan), 0);
}

static void options_are_found_by_their_whole_name(void **state)
{
    const char *settings[] = {"path=x", "pathology=y", "empty="};
    struct pes_load load = {.definitions = "/d", .settings = settings, .n_settings = 3};

    assert_string_equal(pes_load_definitions(&load), "/d");
    assert_string_equal(pes_load_option(&load, "path"), "x");
    assert_string_equal(pes_load_option(&load, "pathology"), "y");
    assert_string_equal(pes_load_option(&load, "empty"), "");
    assert_null(pes_load_option(&load, "pat"));
    assert_null(pes_load_option(&load, ""));
}

static void texts_of_loading_are_one_bounded_line(void **state)
{
    static char longer[2000];
    struct pes_load load = {.definitions = NULL};

    memset(longer, 'x', sizeof(longer) - 1);
    pes_load_version(&load, "2026-01\n\x1b");
    assert_string_equal(load.version, "2026-01__");
    pes_load_version(&load, longer);
    assert_int_equal(strlen(load.version), 63);
    pes_load_note(&load, "%d rules", 3);
    pes_load_note(&load, "two\nlines");
    assert_string_equal(load.note, "3 rules; two lines");
    pes_load_note(&load, "%s", longer);
    pes_load_note(&load, "%s", longer);
    assert_int_equal(strlen(load.note), 511);
    pes_load_fail(&load, "%s", longer);
    assert_int_equal(strlen(load.failure), 511);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_question_is_given_as_it_is, set_up),
        cmocka_unit_test_setup(a_claim_cannot_stand_in_for_a_verified_field, set_up),
        cmocka_unit_test_setup(a_text_may_be_empty_and_is_then_not_null, set_up),
        cmocka_unit_test_setup(time_runs_out_and_stays_out, set_up),
        cmocka_unit_test(options_are_found_by_their_whole_name),
        cmocka_unit_test(texts_of_loading_are_one_bounded_line),
    };

    return cmocka_run_group_tests_name("host/context", tests, NULL, NULL);
}

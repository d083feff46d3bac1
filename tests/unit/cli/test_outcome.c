/* Outcomes: only what was looked at in full is clean; found wins; unknown values are never good. */
#include <string.h>

#include <pes/enums.h>

#include "cli/outcome.h"
#include "testing.h"

static enum outcome of(int error, uint32_t verdict, uint32_t coverage)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info),
                                   .error = error,
                                   .verdict = verdict,
                                   .coverage = coverage,
                                   .mode = PES_MODE_ENFORCE};

    return outcome_of(&info);
}

static void an_answer_is_clean_only_with_a_verdict_about_all_of_it(void **state)
{
    assert_int_equal(of(0, PES_VERDICT_NOT_DETECTED, PES_COVERAGE_FULL), OUTCOME_CLEAN);
    assert_int_equal(of(0, PES_VERDICT_KNOWN_GOOD, PES_COVERAGE_FULL), OUTCOME_CLEAN);
    assert_int_equal(of(0, PES_VERDICT_UNCOMMON, PES_COVERAGE_FULL), OUTCOME_CLEAN);
    assert_int_equal(of(0, PES_VERDICT_NO_OPINION, PES_COVERAGE_FULL), OUTCOME_CLEAN);
    assert_int_equal(of(0, 0, 0), OUTCOME_UNCHECKED);
    assert_int_equal(of(0, PES_VERDICT_NONE, PES_COVERAGE_FULL), OUTCOME_UNCHECKED);
    for (uint32_t coverage = 0; coverage < 40; coverage++) {
        if (coverage != PES_COVERAGE_FULL) {
            assert_int_equal(of(0, PES_VERDICT_NOT_DETECTED, coverage), OUTCOME_UNCHECKED);
        }
    }
    for (uint32_t verdict = PES_VERDICT_NO_OPINION + 1; verdict < 60; verdict++) {
        assert_int_equal(of(0, verdict, PES_COVERAGE_FULL), OUTCOME_FOUND); /* from the future */
    }
}

static void every_finding_counts_as_found_whatever_the_coverage(void **state)
{
    for (uint32_t verdict = PES_VERDICT_SUSPICIOUS; verdict <= PES_VERDICT_TEST_SAMPLE; verdict++) {
        assert_int_equal(of(0, verdict, PES_COVERAGE_FULL), OUTCOME_FOUND);
        assert_int_equal(of(0, verdict, PES_COVERAGE_PARTIAL_PROVIDERS), OUTCOME_FOUND);
    }
}

static void a_failed_question_is_not_asked_unless_somebody_answered_that_nobody_looked(void **state)
{
    for (int error = 1; error <= PES_E_PROTOCOL; error++) {
        enum outcome wanted =
            error == PES_E_NO_PROVIDER || error == PES_E_TOO_LARGE || error == PES_E_DEADLINE_PASSED
                ? OUTCOME_UNCHECKED
                : OUTCOME_UNASKED;

        assert_int_equal(of(-error, PES_VERDICT_NONE, PES_COVERAGE_NOT_EXAMINED), wanted);
        assert_int_equal(of(-error, PES_VERDICT_NOT_DETECTED, PES_COVERAGE_FULL), wanted);
    }
}

/* The library's own answer has no mode: nobody is there who would be in one. */
static void a_service_that_does_not_answer_was_not_asked(void **state)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info), .error = -PES_E_DEADLINE_PASSED};

    assert_int_equal(outcome_of(&info), OUTCOME_UNASKED);
}

static void found_wins_over_not_asked_and_that_over_not_checked(void **state)
{
    struct tally tally = {.n_items = 0};

    assert_int_equal(tally_exit_status(&tally), 0);
    tally_add(&tally, OUTCOME_CLEAN);
    assert_int_equal(tally_exit_status(&tally), 0);
    tally_add(&tally, OUTCOME_UNCHECKED);
    assert_int_equal(tally_exit_status(&tally), 3);
    tally_add(&tally, OUTCOME_UNREAD);
    assert_int_equal(tally_exit_status(&tally), 2);
    tally_add(&tally, OUTCOME_FOUND);
    assert_int_equal(tally_exit_status(&tally), 1);
    tally_add(&tally, OUTCOME_UNASKED);
    assert_int_equal(tally_exit_status(&tally), 1);
    assert_int_equal(tally.n_items, 5);
}

static void a_part_says_how_it_ended(void **state)
{
    struct pes_part part = {.status = PES_STATUS_CRASHED, .signal = 11, .exit_status = -1};
    char text[OUTCOME_TEXT_BYTES];

    assert_string_equal(part_words(text, &part), "crashed (SIGSEGV)");
    part.signal = 0;
    part.exit_status = 3;
    assert_string_equal(part_words(text, &part), "ended by itself (exit 3)");
    part.status = PES_STATUS_TIMEOUT;
    assert_string_equal(part_words(text, &part), "no answer in time");
    part.status = PES_STATUS_RESOURCE_LIMIT;
    part.limit = PES_LIMIT_MEMORY;
    assert_string_equal(part_words(text, &part), "hit its limit (memory)");
    part.status = PES_STATUS_NOT_READY;
    assert_string_equal(part_words(text, &part), "not ready");
}

static void a_provider_that_should_have_answered_leaves_a_hole(void **state)
{
    assert_false(status_is_missing(PES_STATUS_OK));
    assert_false(status_is_missing(PES_STATUS_NOT_COMPETENT));
    assert_false(status_is_missing(PES_STATUS_SKIPPED_EARLY_DECISION));
    assert_true(status_is_missing(PES_STATUS_NONE));
    assert_true(status_is_missing(PES_STATUS_CRASHED));
    assert_true(status_is_missing(PES_STATUS_TIMEOUT));
    assert_true(status_is_missing(999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_clean_only_with_a_verdict_about_all_of_it),
        cmocka_unit_test(every_finding_counts_as_found_whatever_the_coverage),
        cmocka_unit_test(
            a_failed_question_is_not_asked_unless_somebody_answered_that_nobody_looked),
        cmocka_unit_test(a_service_that_does_not_answer_was_not_asked),
        cmocka_unit_test(found_wins_over_not_asked_and_that_over_not_checked),
        cmocka_unit_test(a_part_says_how_it_ended),
        cmocka_unit_test(a_provider_that_should_have_answered_leaves_a_hole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

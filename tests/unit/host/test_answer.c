/* What a worker answers: always a valid Result of at most 8 KiB, whatever the module said. */
#include <stdio.h>
#include <string.h>

#include "host/answer.h"
#include "testing.h"
#include "wire/verdict_rank.h"

static struct answer answer;
static struct wire_frame frame;
static uint8_t buffer[WIRE_RESULT_BYTES_MAX];

static int set_up(void **state)
{
    answer_init(&answer);
    return 0;
}

static const struct wire_result *result_of(const struct answer_frame *question)
{
    struct wire_fault fault;
    size_t n;

    assert_int_equal(answer_encode(&answer, question, buffer, &n), 0);
    assert_true(n <= WIRE_RESULT_BYTES_MAX);
    assert_int_equal(wire_decode(&frame, buffer, n, &fault), 0);
    assert_int_equal(frame.type, WIRE_TYPE_RESULT);
    return &frame.result;
}

static const struct wire_result *result(void)
{
    return result_of(&(struct answer_frame){.id = 9, .content_bytes = 100, .cpu_us = 5});
}

static int find(uint32_t verdict, const char *name)
{
    return answer_find(&answer, &(struct pes_found){.size_bytes = sizeof(struct pes_found),
                                                    .verdict = verdict,
                                                    .detection = name});
}

static void assert_bytes(struct wire_bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
}

static void without_a_word_nothing_counts_as_examined(void **state)
{
    const struct wire_result *r = result();

    assert_int_equal(r->id, 9);
    assert_int_equal(r->cpu_us, 5);
    assert_int_equal(r->verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(r->coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(r->bytes_examined, 0);
}

static void a_failed_scan_says_nothing(void **state)
{
    const struct wire_result *r;

    find(PES_VERDICT_MALICIOUS, "X");
    answer_coverage(&answer, PES_COVERAGE_FULL, 100);
    r = result_of(&(struct answer_frame){.id = 1, .content_bytes = 100, .has_failed = true});
    assert_int_equal(r->verdict, PES_VERDICT_NONE);
    assert_int_equal(r->coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(r->n_findings, 0);
}

static const struct wire_result *result_of_wrapping(void)
{
    return result_of(
        &(struct answer_frame){.id = 1, .content_bytes = 100, .is_only_wrapping = true});
}

static void nothing_found_in_wrapping_is_not_full_coverage(void **state)
{
    const struct wire_result *r;

    answer_coverage(&answer, PES_COVERAGE_FULL, 100);
    answer_verdict(&answer, PES_VERDICT_KNOWN_GOOD);
    r = result_of_wrapping();
    assert_int_equal(r->coverage, PES_COVERAGE_UNSUPPORTED);
    assert_int_equal(r->verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(r->bytes_examined, 100);

    /* `uncommon` is no finding that would make up for it. */
    find(PES_VERDICT_UNCOMMON, "Seldom");
    assert_int_equal(result_of_wrapping()->coverage, PES_COVERAGE_UNSUPPORTED);
}

static void a_finding_in_wrapping_stays_what_it_is(void **state)
{
    const struct wire_result *r;

    answer_coverage(&answer, PES_COVERAGE_FULL, 100);
    find(PES_VERDICT_SUSPICIOUS, "X");
    r = result_of_wrapping();
    assert_int_equal(r->verdict, PES_VERDICT_SUSPICIOUS);
    assert_int_equal(r->coverage, PES_COVERAGE_FULL);
}

static void a_lesser_coverage_of_wrapping_stays_what_it_is(void **state)
{
    answer_coverage(&answer, PES_COVERAGE_PARTIAL_TIME, 10);
    assert_int_equal(result_of_wrapping()->coverage, PES_COVERAGE_PARTIAL_TIME);
}

static void findings_come_worst_first_with_their_evidence(void **state)
{
    int unwanted = find(PES_VERDICT_POTENTIALLY_UNWANTED, "Unwanted");
    int bad = find(PES_VERDICT_MALICIOUS, "Bad");
    int test = find(PES_VERDICT_TEST_SAMPLE, "Test");
    const struct wire_result *r;

    answer_evidence(&answer, unwanted, 1, 2, "u");
    answer_evidence(&answer, test, 3, 4, "t");
    answer_evidence(&answer, bad, 5, 6, NULL);
    answer_evidence(&answer, -1, 7, 8, "none");
    answer_evidence(&answer, 99, 7, 8, "none");
    r = result();
    assert_int_equal(r->verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(r->n_findings, 3);
    assert_bytes(r->findings[0].detection, "Bad");
    assert_bytes(r->findings[1].detection, "Test");
    assert_bytes(r->findings[2].detection, "Unwanted");
    assert_int_equal(r->n_evidence, 3);
    assert_int_equal(r->evidence[0].finding, 0);
    assert_int_equal(r->evidence[1].finding, 1);
    assert_int_equal(r->evidence[2].finding, 2);
    assert_int_equal(r->evidence[0].offset, 5);
    assert_int_equal(r->evidence[0].length, 6);
}

static void sixteen_worst_are_kept_and_all_are_counted(void **state)
{
    const struct wire_result *r;
    int index = -1;

    for (int i = 0; i < 20; i++) {
        index = find(PES_VERDICT_UNCOMMON, "Uncommon");
        answer_evidence(&answer, index, (uint64_t)i, 1, NULL);
    }
    assert_int_equal(index, -1);
    assert_true(find(PES_VERDICT_MALICIOUS, "Bad") >= 0);
    r = result();
    assert_int_equal(r->n_findings, 16);
    assert_int_equal(r->n_findings_total, 21);
    assert_bytes(r->findings[0].detection, "Bad");
    assert_int_equal(r->n_evidence, 15); /* that of the one it replaced is gone */
    for (size_t i = 0; i < r->n_evidence; i++) {
        assert_true(r->evidence[i].finding >= 1 && r->evidence[i].finding < 16);
    }
}

static void the_worst_finding_has_evidence_however_late_it_comes(void **state)
{
    int low = find(PES_VERDICT_UNCOMMON, "Low");
    int lower = find(PES_VERDICT_UNCOMMON, "Lower");
    const struct wire_result *r;
    int bad;

    for (uint64_t i = 0; i < 20; i++) {
        answer_evidence(&answer, low, i, 1, NULL);
        answer_evidence(&answer, lower, i, 1, NULL);
    }
    bad = find(PES_VERDICT_MALICIOUS, "Bad");
    answer_evidence(&answer, bad, 50, 1, NULL);
    answer_evidence(&answer, low, 60, 1, NULL);
    answer_evidence(&answer, lower, 70, 1, NULL);
    r = result();
    assert_int_equal(r->n_evidence, 32);
    assert_int_equal(r->evidence[0].finding, 0);
    assert_int_equal(r->evidence[0].offset, 50);
    for (uint64_t i = 0; i < 16; i++) {
        assert_int_equal(r->evidence[1 + i].finding, 1);
        assert_int_equal(r->evidence[1 + i].offset, i);
    }
    for (uint64_t i = 0; i < 15; i++) { /* one less than had come */
        assert_int_equal(r->evidence[17 + i].finding, 2);
        assert_int_equal(r->evidence[17 + i].offset, i);
    }
}

static void evidence_lies_within_the_content(void **state)
{
    const struct wire_result *r;
    int bad = find(PES_VERDICT_MALICIOUS, "Bad");

    answer_evidence(&answer, bad, UINT64_C(1) << 63, UINT64_C(1) << 63, "far");
    answer_evidence(&answer, bad, 101, 0, "behind");
    answer_evidence(&answer, bad, 90, 11, "over");
    answer_evidence(&answer, bad, 1, UINT64_MAX, "round");
    answer_evidence(&answer, bad, 100, 0, "end");
    r = result();
    assert_int_equal(r->n_evidence, 3);
    assert_bytes(r->evidence[0].what, "over");
    assert_int_equal(r->evidence[0].length, 10);
    assert_bytes(r->evidence[1].what, "round");
    assert_int_equal(r->evidence[1].length, 99);
    assert_bytes(r->evidence[2].what, "end");
}

static void every_verdict_has_its_place(void **state)
{
    const uint32_t worst_first[] = {
        PES_VERDICT_MALICIOUS,      PES_VERDICT_CREDENTIAL_THEFT,     PES_VERDICT_TEST_SAMPLE,
        PES_VERDICT_SENSITIVE_DATA, PES_VERDICT_POTENTIALLY_UNWANTED, PES_VERDICT_UNCOMMON,
        PES_VERDICT_NO_OPINION};
    const size_t n = sizeof(worst_first) / sizeof(worst_first[0]);
    const struct wire_result *r;

    for (size_t i = n; i > 0; i--) {
        find(worst_first[i - 1], "X");
    }
    r = result();
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(r->findings[i].verdict, worst_first[i]);
    }
}

static void names_are_reduced_to_their_alphabet(void **state)
{
    char longer[300];
    const struct wire_result *r;

    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    answer_find(&answer, &(struct pes_found){.size_bytes = sizeof(struct pes_found),
                                             .verdict = PES_VERDICT_MALICIOUS,
                                             .severity = 77,
                                             .confidence = 200,
                                             .detection = "A b\x1b[31m\n\xe2\x80\xae/:!-_.",
                                             .family = longer,
                                             .rule_id = longer,
                                             .technique = longer});
    r = result();
    assert_bytes(r->findings[0].detection, "A_b__31m____/:!-_.");
    assert_int_equal(r->findings[0].family.size, 64);
    assert_int_equal(r->findings[0].rule_id.size, 128);
    assert_int_equal(r->findings[0].technique.size, 16);
    assert_int_equal(r->findings[0].severity, PES_SEVERITY_NONE);
    assert_int_equal(r->findings[0].confidence, 100);
}

static void a_finding_without_name_or_verdict_is_still_one(void **state)
{
    const struct wire_result *r;

    find(PES_VERDICT_NONE, NULL);
    find(4711, "");
    r = result();
    assert_int_equal(r->n_findings, 2);
    assert_int_equal(r->verdict, PES_VERDICT_SUSPICIOUS);
    assert_bytes(r->findings[0].detection, "unnamed");
    assert_bytes(r->findings[1].detection, "unnamed");
}

static void an_older_module_s_finding_is_taken_as_far_as_it_goes(void **state)
{
    struct pes_found found = {.size_bytes = offsetof(struct pes_found, detection),
                              .verdict = PES_VERDICT_MALICIOUS,
                              .detection = (const char *)1};

    assert_int_equal(answer_find(&answer, &found), 0);
    assert_bytes(result()->findings[0].detection, "unnamed");
}

static void known_good_needs_full_coverage(void **state)
{
    answer_verdict(&answer, PES_VERDICT_KNOWN_GOOD);
    assert_int_equal(result()->verdict, PES_VERDICT_NOT_DETECTED);
    answer_coverage(&answer, PES_COVERAGE_PARTIAL_SIZE, 100);
    assert_int_equal(result()->verdict, PES_VERDICT_NOT_DETECTED);
    answer_coverage(&answer, PES_COVERAGE_FULL, 100);
    assert_int_equal(result()->verdict, PES_VERDICT_KNOWN_GOOD);
}

static void a_verdict_without_finding_is_never_a_bad_one(void **state)
{
    answer_verdict(&answer, PES_VERDICT_MALICIOUS);
    assert_int_equal(result()->verdict, PES_VERDICT_NOT_DETECTED);
    answer_verdict(&answer, PES_VERDICT_NO_OPINION);
    assert_int_equal(result()->verdict, PES_VERDICT_NO_OPINION);
}

static void coverage_that_cannot_be_is_none(void **state)
{
    const uint32_t wrong[] = {PES_COVERAGE_NONE, PES_COVERAGE_PARTIAL_PROVIDERS, 4711};

    for (size_t i = 0; i < 3; i++) {
        answer_coverage(&answer, PES_COVERAGE_FULL, 1);
        answer_coverage(&answer, wrong[i], 1);
        assert_int_equal(result()->coverage, PES_COVERAGE_NOT_EXAMINED);
    }
    answer_coverage(&answer, PES_COVERAGE_FULL, UINT64_MAX);
    assert_int_equal(result()->bytes_examined, 100); /* no more than there is */
}

/* Else the broker would take it for a lie and end the worker. */
static void full_coverage_of_less_than_all_is_partial(void **state)
{
    answer_verdict(&answer, PES_VERDICT_KNOWN_GOOD);
    for (uint64_t n = 0; n < 100; n += 99) {
        answer_coverage(&answer, PES_COVERAGE_FULL, n);
        assert_int_equal(result()->coverage, PES_COVERAGE_PARTIAL_SIZE);
        assert_int_equal(result()->bytes_examined, n);
        assert_int_equal(result()->verdict, PES_VERDICT_NOT_DETECTED);
    }
}

/* Whatever order a module finds them in, the broker must come to the same worst one. */
static void findings_are_sorted_as_the_broker_sorts_them(void **state)
{
    find(PES_VERDICT_SENSITIVE_DATA, "Sensitive");
    find(PES_VERDICT_SUSPICIOUS, "Suspicious");
    find(PES_VERDICT_POLICY_FORBIDDEN, "Forbidden");
    find(PES_VERDICT_EXPLOIT_ATTEMPT, "Exploit");
    for (size_t i = 1; i < result()->n_findings; i++) {
        assert_true(verdict_rank(result()->findings[i - 1].verdict) >=
                    verdict_rank(result()->findings[i].verdict));
    }
    assert_int_equal(result()->verdict, PES_VERDICT_EXPLOIT_ATTEMPT);
}

static void the_largest_answer_is_cut_until_it_fits(void **state)
{
    static char text[2048];
    const struct wire_result *r;

    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 16; i++) {
        answer_find(&answer, &(struct pes_found){.size_bytes = sizeof(struct pes_found),
                                                 .verdict = PES_VERDICT_MALICIOUS,
                                                 .severity = PES_SEVERITY_CRITICAL,
                                                 .confidence = 100,
                                                 .advice = PES_ADVICE_DO_NOT_RUN,
                                                 .detection = text,
                                                 .family = text,
                                                 .rule_id = text,
                                                 .technique = text});
        answer_evidence(&answer, i, 100, 0, text);
        answer_evidence(&answer, i, 100, 0, text);
    }
    answer_decoded(&answer, text, sizeof(text));
    answer_coverage(&answer, PES_COVERAGE_FULL, 100);
    r = result();
    assert_int_equal(r->n_findings, 16);
    assert_int_equal(r->n_findings_total, 16);
    assert_int_equal(r->decoded.size, 1024);
    assert_true(r->n_evidence > 0 && r->n_evidence < 32);
}

#define ANSWER_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANSWER_TEST(without_a_word_nothing_counts_as_examined),
        ANSWER_TEST(a_failed_scan_says_nothing),
        ANSWER_TEST(nothing_found_in_wrapping_is_not_full_coverage),
        ANSWER_TEST(a_finding_in_wrapping_stays_what_it_is),
        ANSWER_TEST(a_lesser_coverage_of_wrapping_stays_what_it_is),
        ANSWER_TEST(findings_come_worst_first_with_their_evidence),
        ANSWER_TEST(sixteen_worst_are_kept_and_all_are_counted),
        ANSWER_TEST(the_worst_finding_has_evidence_however_late_it_comes),
        ANSWER_TEST(evidence_lies_within_the_content),
        ANSWER_TEST(every_verdict_has_its_place),
        ANSWER_TEST(names_are_reduced_to_their_alphabet),
        ANSWER_TEST(a_finding_without_name_or_verdict_is_still_one),
        ANSWER_TEST(an_older_module_s_finding_is_taken_as_far_as_it_goes),
        ANSWER_TEST(known_good_needs_full_coverage),
        ANSWER_TEST(a_verdict_without_finding_is_never_a_bad_one),
        ANSWER_TEST(coverage_that_cannot_be_is_none),
        ANSWER_TEST(full_coverage_of_less_than_all_is_partial),
        ANSWER_TEST(findings_are_sorted_as_the_broker_sorts_them),
        ANSWER_TEST(the_largest_answer_is_cut_until_it_fits),
    };

    return cmocka_run_group_tests_name("host/answer", tests, NULL, NULL);
}

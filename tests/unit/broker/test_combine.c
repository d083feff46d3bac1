/* Parts combined: the worst finding wins, and nothing is good that was not looked at. */
#include "broker/combine.h"
#include "testing.h"

#define OK   PES_STATUS_OK
#define FULL PES_COVERAGE_FULL
#define NOT  PES_VERDICT_NOT_DETECTED

struct row {
    const char *what;
    struct combine_part parts[3];
    size_t n_parts;
    uint32_t verdict;
    uint32_t coverage;
    size_t deciding;
};

static const struct row rows[] = {
    {"nobody was asked", {{0}}, 0, PES_VERDICT_NONE, PES_COVERAGE_NOT_EXAMINED, 0},
    {"all looked, nothing found", {{OK, NOT, FULL, 0}, {OK, NOT, FULL, 0}}, 2, NOT, FULL, 0},
    {"the worst finding wins, wherever it stands",
     {{OK, PES_VERDICT_SUSPICIOUS, FULL, 0},
      {OK, PES_VERDICT_MALICIOUS, FULL, 0},
      {OK, NOT, FULL, 0}},
     3,
     PES_VERDICT_MALICIOUS,
     FULL,
     2},
    {"one missing",
     {{OK, NOT, FULL, 0}, {PES_STATUS_CRASHED, 0, PES_COVERAGE_NOT_EXAMINED, 0}},
     2,
     NOT,
     PES_COVERAGE_PARTIAL_PROVIDERS,
     0},
    {"a finding beside a crash stays a finding",
     {{OK, PES_VERDICT_MALICIOUS, FULL, 0}, {PES_STATUS_CRASHED, 0, PES_COVERAGE_NOT_EXAMINED, 0}},
     2,
     PES_VERDICT_MALICIOUS,
     PES_COVERAGE_PARTIAL_PROVIDERS,
     1},
    {"all missing",
     {{PES_STATUS_TIMEOUT, 0, PES_COVERAGE_NOT_EXAMINED, 0},
      {PES_STATUS_CRASHED, 0, PES_COVERAGE_NOT_EXAMINED, 0}},
     2,
     PES_VERDICT_NONE,
     PES_COVERAGE_NOT_EXAMINED,
     0},
    {"what a dead worker said is not heard",
     {{PES_STATUS_CRASHED, PES_VERDICT_KNOWN_GOOD, FULL, 0}},
     1,
     PES_VERDICT_NONE,
     PES_COVERAGE_NOT_EXAMINED,
     0},
    {"nothing depends on an advisory provider",
     {{OK, NOT, FULL, 0}, {PES_STATUS_TIMEOUT, 0, PES_COVERAGE_NOT_EXAMINED, 1}},
     2,
     NOT,
     FULL,
     0},
    {"an advisory provider alone is nobody when it is missing",
     {{PES_STATUS_TIMEOUT, 0, PES_COVERAGE_NOT_EXAMINED, 1}},
     1,
     PES_VERDICT_NONE,
     PES_COVERAGE_NOT_EXAMINED,
     0},
    {"known good and not detected is known good",
     {{OK, PES_VERDICT_KNOWN_GOOD, FULL, 0}, {OK, NOT, FULL, 0}},
     2,
     PES_VERDICT_KNOWN_GOOD,
     FULL,
     0},
    {"known good, but not by all who should have looked, is not",
     {{OK, PES_VERDICT_KNOWN_GOOD, FULL, 0}, {PES_STATUS_TIMEOUT, 0, PES_COVERAGE_NOT_EXAMINED, 0}},
     2,
     NOT,
     PES_COVERAGE_PARTIAL_PROVIDERS,
     0},
    {"known good by half a look is not",
     {{OK, PES_VERDICT_KNOWN_GOOD, PES_COVERAGE_PARTIAL_SIZE, 0}},
     1,
     NOT,
     PES_COVERAGE_PARTIAL_SIZE,
     0},
    {"a partial look stays one beside a full one",
     {{OK, NOT, FULL, 0}, {OK, NOT, PES_COVERAGE_PARTIAL_TIME, 0}},
     2,
     NOT,
     PES_COVERAGE_PARTIAL_TIME,
     0},
    {"a hash list does not spoil a full look",
     {{OK, NOT, FULL, 0}, {OK, NOT, PES_COVERAGE_HASH_ONLY, 0}},
     2,
     NOT,
     FULL,
     0},
    {"a hash list alone is only that",
     {{OK, NOT, PES_COVERAGE_HASH_ONLY, 0}},
     1,
     NOT,
     PES_COVERAGE_HASH_ONLY,
     0},
    {"who says that it looked must say how much",
     {{OK, NOT, PES_COVERAGE_NONE, 0}},
     1,
     PES_VERDICT_NONE,
     PES_COVERAGE_NOT_EXAMINED,
     0},
    {"no opinion is nobody's look",
     {{OK, PES_VERDICT_NO_OPINION, FULL, 0}},
     1,
     PES_VERDICT_NO_OPINION,
     PES_COVERAGE_NOT_EXAMINED,
     0},
    {"whoever turned out not to take the kind is not missed",
     {{OK, NOT, FULL, 0}, {PES_STATUS_NOT_COMPETENT, 0, PES_COVERAGE_NOT_EXAMINED, 0}},
     2,
     NOT,
     FULL,
     0},
    {"a verdict from the future counts as suspicious", {{OK, 99, FULL, 0}}, 1, 99, FULL, 1},
};

static void each_row_of_the_truth_table_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct combine_result result;

        combine_parts(rows[i].parts, rows[i].n_parts, &result);
        if (result.verdict != rows[i].verdict || result.coverage != rows[i].coverage ||
            result.deciding != rows[i].deciding) {
            fail_msg("%s: verdict %u, coverage %u, deciding %zu", rows[i].what, result.verdict,
                     result.coverage, result.deciding);
        }
    }
}

static void good_needs_full_coverage_and_every_provider_whatever_they_say(void **state)
{
    (void)state;
    for (uint32_t status = 0; status <= 20; status++) {
        for (uint32_t verdict = 0; verdict <= 15; verdict++) {
            for (uint32_t coverage = 0; coverage <= 14 && status != PES_STATUS_NOT_COMPETENT;
                 coverage++) {
                const struct combine_part parts[] = {{status, verdict, coverage, false},
                                                     {OK, PES_VERDICT_KNOWN_GOOD, FULL, false}};
                struct combine_result result;

                combine_parts(parts, 2, &result);
                if (result.verdict == PES_VERDICT_KNOWN_GOOD) {
                    assert_int_equal(result.coverage, FULL);
                    assert_true(status == OK || status == PES_STATUS_CACHED);
                }
                if (result.coverage == FULL) {
                    assert_true(status == OK || status == PES_STATUS_CACHED);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_truth_table_holds),
        cmocka_unit_test(good_needs_full_coverage_and_every_provider_whatever_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

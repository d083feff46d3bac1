/* Answers: copied, harmless, checked, independent. */
#include <string.h>

#include <pes/pes.h>

#include "client/answer.h"
#include "testing.h"
#include "wire/codec.h"

static struct wire_answer wire;

static struct pes_answer *make(uint32_t can)
{
    struct answer_about about = {
        .kind = PES_KIND_GENERIC,
        .can = can,
        .policy_error = "",
        .content_bytes = 5,
        .wall_us = 77,
    };
    struct pes_answer *answer;

    assert_int_equal(answer_new(&answer, &wire, &about), 0);
    return answer;
}

static struct pes_answer_info info_of(const struct pes_answer *answer)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};

    pes_answer_info(answer, &info);
    return info;
}

static void everything_is_copied(void **state)
{
    uint8_t digest[32] = {1, 2, 3};
    char name[] = "yara", decoded[] = "curl | sh";
    struct pes_answer *answer;
    struct pes_answer_info info;
    struct pes_part part = {.size_bytes = sizeof(part)};
    struct pes_finding finding = {.size_bytes = sizeof(finding)};
    struct pes_evidence evidence = {.size_bytes = sizeof(evidence)};

    wire = (struct wire_answer){
        .verdict = PES_VERDICT_MALICIOUS,
        .coverage = PES_COVERAGE_FULL,
        .disposition = PES_DISPOSITION_BLOCK,
        .would = PES_DISPOSITION_BLOCK,
        .decided_by = PES_DECIDED_BY_VERDICT,
        .action = PES_STOP,
        .digest = {digest, 32},
        .ref = wire_text("AB"),
        .n_parts = 1,
        .deciding_part = 1,
        .wall_us = 50,
        .parts = {{
            .name = {(uint8_t *)name, 4},
            .status = PES_STATUS_OK,
            .verdict = PES_VERDICT_MALICIOUS,
            .n_findings = 1,
            .findings = {{.detection = wire_text("X"), .confidence = 250}},
            .n_evidence = 1,
            .evidence = {{.offset = 3, .length = 4, .what = wire_text("$a")}},
            .decoded = {(uint8_t *)decoded, 9},
        }},
    };
    answer = make(PES_CAN_STOP);
    memset(digest, 0, sizeof(digest));
    memset(name, 'z', 4);
    memset(decoded, 'z', 9);
    memset(&wire, 0xff, sizeof(wire));

    info = info_of(answer);
    assert_int_equal(info.action, PES_STOP);
    assert_int_equal(info.digest[2], 3);
    assert_int_equal(info.wall_us, 77);
    assert_int_equal(info.broker_us, 50);
    assert_int_equal(info.content_bytes, 5);
    assert_string_equal(info.ref, "AB");
    assert_int_equal(pes_answer_part(answer, 0, &part), 0);
    assert_string_equal(part.name, "yara");
    assert_string_equal(part.version, "");
    assert_string_equal(part.decoded, "curl | sh");
    assert_int_equal(part.exit_status, -1);
    assert_int_equal(part.n_findings_total, 1); /* at least what was sent */
    assert_int_equal(pes_answer_finding(answer, 0, 0, &finding), 0);
    assert_string_equal(finding.detection, "X");
    assert_int_equal(finding.confidence, 100);
    assert_int_equal(pes_answer_evidence(answer, 0, 0, &evidence), 0);
    assert_int_equal(evidence.offset, 3);
    assert_string_equal(evidence.what, "$a");

    assert_int_equal(pes_answer_part(answer, 1, &part), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_answer_finding(answer, 0, 1, &finding), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_answer_finding(answer, 1, 0, &finding), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_answer_evidence(answer, 0, 1, &evidence), -PES_E_INVALID_ARGUMENT);
    answer_free(answer);
}

static void an_older_caller_gets_as_much_as_it_knows(void **state)
{
    struct pes_answer_info info;
    struct pes_answer *answer;

    wire = (struct wire_answer){.verdict = PES_VERDICT_MALICIOUS, .action = PES_GO};
    answer = make(0);
    memset(&info, 0x55, sizeof(info));
    info.size_bytes = offsetof(struct pes_answer_info, coverage);
    pes_answer_info(answer, &info);
    assert_int_equal(info.verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(info.coverage, 0x55555555);
    info.size_bytes = 0;
    pes_answer_info(answer, &info); /* nothing at all */
    info.size_bytes = UINT32_MAX;
    pes_answer_info(answer, &info); /* a newer caller: no more than there is */
    assert_int_equal(info.size_bytes, UINT32_MAX);
    answer_free(answer);
}

static void an_action_that_was_not_declared_is_folded(void **state)
{
    static const struct {
        uint32_t action, disposition, can, expected;
    } cases[] = {
        {PES_STOP, PES_DISPOSITION_BLOCK, PES_CAN_ASK, PES_ASK},
        {PES_STOP, PES_DISPOSITION_BLOCK, 0, PES_GO},
        {PES_ASK, PES_DISPOSITION_WARN, PES_CAN_STOP, PES_GO},
        {PES_ASK, PES_DISPOSITION_ASK_USER, PES_CAN_STOP, PES_STOP},
        {0, PES_DISPOSITION_ALLOW, PES_CAN_STOP, PES_GO},
        {0, PES_DISPOSITION_BLOCK, PES_CAN_STOP, PES_STOP},
        {9, PES_DISPOSITION_BLOCK, PES_CAN_STOP | PES_CAN_ASK, PES_STOP},
        {PES_GO, PES_DISPOSITION_ALLOW_AND_REPORT, PES_CAN_STOP, PES_GO},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pes_answer *answer;

        wire = (struct wire_answer){
            .action = cases[i].action,
            .disposition = cases[i].disposition,
        };
        answer = make(cases[i].can);
        assert_int_equal(pes_answer_action(answer), cases[i].expected);
        answer_free(answer);
    }
}

static void known_good_needs_full_coverage(void **state)
{
    struct pes_answer *answer;

    wire = (struct wire_answer){
        .verdict = PES_VERDICT_KNOWN_GOOD,
        .coverage = PES_COVERAGE_PARTIAL_PROVIDERS,
        .action = PES_GO,
    };
    answer = make(0);
    assert_int_equal(info_of(answer).verdict, PES_VERDICT_NOT_DETECTED);
    answer_free(answer);
}

static void nonsense_in_it_does_no_harm(void **state)
{
    struct pes_answer *answer;

    wire = (struct wire_answer){
        .error = UINT32_MAX,
        .verdict = 4711,
        .digest = wire_text("short"),
        .deciding_part = 7,
        .n_parts = 1,
        .parts = {{.exit_status = 5}},
    };
    answer = make(PES_CAN_STOP);
    assert_true(info_of(answer).error < 0);
    assert_int_equal(info_of(answer).verdict, 4711); /* kept, to be shown */
    assert_null(info_of(answer).digest);
    assert_int_equal(info_of(answer).deciding_part, 0);
    assert_int_equal(info_of(answer).action, PES_STOP);
    answer_free(answer);
}

static void unknown_verdicts_count_as_findings(void **state)
{
    assert_true(pes_verdict_is_finding(4711));
    assert_true(pes_verdict_is_finding(PES_VERDICT_TEST_SAMPLE));
    assert_false(pes_verdict_is_finding(PES_VERDICT_NONE));
    assert_false(pes_verdict_is_finding(PES_VERDICT_NO_OPINION));
}

static void without_memory_there_are_static_answers(void **state)
{
    for (uint32_t action = PES_GO; action <= PES_STOP; action++) {
        struct pes_answer *answer = answer_static(action);

        assert_int_equal(pes_answer_action(answer), action);
        assert_int_equal(info_of(answer).error, -PES_E_NO_MEMORY);
        assert_int_equal(info_of(answer).verdict, PES_VERDICT_NONE);
        assert_int_equal(info_of(answer).decided_by, PES_DECIDED_BY_FAIL_POLICY);
        assert_string_not_equal(pes_answer_message(answer), "");
        assert_string_equal(info_of(answer).ref, "");
        assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
        pes_answer_close(answer, PES_DID_REFUSE);
        pes_answer_close(answer, PES_DID_REFUSE); /* there is nothing to free */
    }
}

static void nobody_s_answer_says_stop(void **state)
{
    struct pes_part part = {.size_bytes = sizeof(part)};

    assert_int_equal(pes_answer_action(NULL), PES_STOP);
    assert_string_not_equal(pes_answer_message(NULL), "");
    pes_answer_info(NULL, NULL);
    assert_int_equal(pes_answer_part(NULL, 0, &part), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_answer_take_content(NULL), -PES_E_INVALID_ARGUMENT);
    pes_answer_close(NULL, PES_DID_REFUSE);
}

/* The largest message that a broker can send. */
static void sixteen_full_parts_fit(void **state)
{
    static uint8_t filler[1024];
    struct pes_answer *answer;
    struct pes_finding finding = {.size_bytes = sizeof(finding)};

    memset(filler, 0x01, sizeof(filler));
    wire = (struct wire_answer){.n_parts = 16};
    for (size_t i = 0; i < 16; i++) {
        struct wire_part *part = &wire.parts[i];

        part->name = (struct wire_bytes){filler, 64};
        part->decoded = (struct wire_bytes){filler, 1024};
        part->n_findings = 16;
        part->n_evidence = 32;
        for (size_t k = 0; k < 16; k++) {
            part->findings[k].detection = (struct wire_bytes){filler, 128};
        }
        for (size_t k = 0; k < 32; k++) {
            part->evidence[k].what = (struct wire_bytes){filler, 64};
        }
    }
    answer = make(PES_CAN_STOP);
    assert_int_equal(pes_answer_finding(answer, 15, 15, &finding), 0);
    assert_int_equal(strlen(finding.detection), 4 * 128);
    answer_free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_copied),
        cmocka_unit_test(an_older_caller_gets_as_much_as_it_knows),
        cmocka_unit_test(an_action_that_was_not_declared_is_folded),
        cmocka_unit_test(known_good_needs_full_coverage),
        cmocka_unit_test(nonsense_in_it_does_no_harm),
        cmocka_unit_test(unknown_verdicts_count_as_findings),
        cmocka_unit_test(without_memory_there_are_static_answers),
        cmocka_unit_test(nobody_s_answer_says_stop),
        cmocka_unit_test(sixteen_full_parts_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From a verdict to an action, by table; and an action is always one that the client can do. */
#include <string.h>

#include "broker/policy.h"
#include "testing.h"

#define ASK_STOP (PES_CAN_ASK | PES_CAN_STOP)

static struct policy_decision decide(const struct policy *policy, uint32_t kind, uint32_t verdict,
                                     uint32_t coverage, uint32_t can, uint32_t wish,
                                     uint32_t part_mode)
{
    const struct policy_question question = {
        .kind = kind, .app = "/usr/bin/bash", .fail_wish = wish, .can = can};
    const struct combine_part part = {PES_STATUS_OK, verdict, coverage, false};
    struct combine_result result;
    struct policy_decision decision;

    combine_parts(&part, 1, &result);
    policy_decide(policy, &question, &part, &part_mode, 1, &result, &decision);
    return decision;
}

static void a_mode_makes_a_block_what_it_says(void **state)
{
    static const struct {
        uint32_t mode, disposition, action;
    } rows[] = {
        {PES_MODE_OBSERVE, PES_DISPOSITION_ALLOW_AND_REPORT, PES_GO},
        {PES_MODE_WARN, PES_DISPOSITION_WARN, PES_ASK},
        {PES_MODE_ENFORCE, PES_DISPOSITION_BLOCK, PES_STOP},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct policy policy = POLICY_INIT;
        struct policy_decision decision;

        policy.mode = rows[i].mode;
        decision = decide(&policy, PES_KIND_SCRIPT_SHELL, PES_VERDICT_MALICIOUS, PES_COVERAGE_FULL,
                          ASK_STOP, 0, 0);
        assert_int_equal(decision.would, PES_DISPOSITION_BLOCK);
        assert_int_equal(decision.disposition, rows[i].disposition);
        assert_int_equal(decision.action, rows[i].action);
        assert_int_equal(decision.decided_by, PES_DECIDED_BY_VERDICT);
    }
}

static void without_a_full_look_the_fail_mode_decides(void **state)
{
    struct policy policy = POLICY_INIT;
    struct policy_decision decision;

    (void)state;
    policy.mode = PES_MODE_ENFORCE;
    decision = decide(&policy, PES_KIND_COMMAND_PASTED, PES_VERDICT_NOT_DETECTED,
                      PES_COVERAGE_PARTIAL_TIME, ASK_STOP, 0, 0);
    assert_int_equal(decision.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    assert_int_equal(decision.disposition, PES_DISPOSITION_WARN);
    decision = decide(&policy, PES_KIND_MAIL_MESSAGE, PES_VERDICT_NOT_DETECTED,
                      PES_COVERAGE_PARTIAL_TIME, ASK_STOP, 0, 0);
    assert_int_equal(decision.disposition, PES_DISPOSITION_ALLOW_AND_REPORT);
}

static void a_mild_finding_does_not_buy_off_the_fail_mode(void **state)
{
    struct policy policy = POLICY_INIT;
    struct policy_decision decision;

    (void)state;
    policy.mode = PES_MODE_ENFORCE;
    policy.fail_execution = PES_FAIL_WISH_DENY;
    decision = decide(&policy, PES_KIND_COMMAND_PASTED, PES_VERDICT_POTENTIALLY_UNWANTED,
                      PES_COVERAGE_PARTIAL_TIME, ASK_STOP, 0, 0);
    assert_int_equal(decision.disposition, PES_DISPOSITION_BLOCK);
    assert_int_equal(decision.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    /* Nor does one of a provider that only observes. */
    decision = decide(&policy, PES_KIND_COMMAND_PASTED, PES_VERDICT_MALICIOUS,
                      PES_COVERAGE_PARTIAL_TIME, ASK_STOP, 0, PES_MODE_OBSERVE);
    assert_int_equal(decision.disposition, PES_DISPOSITION_BLOCK);
    assert_int_equal(decision.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    policy.fail_execution = PES_FAIL_WISH_WARN;
    decision = decide(&policy, PES_KIND_COMMAND_PASTED, PES_VERDICT_SUSPICIOUS,
                      PES_COVERAGE_PARTIAL_TIME, ASK_STOP, 0, 0);
    assert_int_equal(decision.disposition, PES_DISPOSITION_ASK_USER);
    assert_int_equal(decision.decided_by, PES_DECIDED_BY_VERDICT);
}

static void a_kind_from_the_future_may_let_something_run(void **state)
{
    struct policy policy = POLICY_INIT;

    (void)state;
    policy.mode = PES_MODE_ENFORCE;
    policy.fail_execution = PES_FAIL_WISH_DENY;
    assert_int_equal(decide(&policy, 999, 0, PES_COVERAGE_NOT_EXAMINED, ASK_STOP, 0, 0).disposition,
                     PES_DISPOSITION_BLOCK);
}

static void a_wish_can_make_it_stricter_and_never_milder(void **state)
{
    struct policy policy = POLICY_INIT;

    (void)state;
    policy.mode = PES_MODE_ENFORCE;
    assert_int_equal(decide(&policy, PES_KIND_COMMAND_PASTED, 0, PES_COVERAGE_NOT_EXAMINED,
                            ASK_STOP, PES_FAIL_WISH_ALLOW, 0)
                         .disposition,
                     PES_DISPOSITION_WARN);
    assert_int_equal(decide(&policy, PES_KIND_COMMAND_PASTED, 0, PES_COVERAGE_NOT_EXAMINED,
                            ASK_STOP, PES_FAIL_WISH_DENY, 0)
                         .disposition,
                     PES_DISPOSITION_BLOCK);
    assert_int_equal(
        decide(&policy, PES_KIND_MAIL_MESSAGE, 0, PES_COVERAGE_NOT_EXAMINED, ASK_STOP, 77, 0)
            .disposition,
        PES_DISPOSITION_BLOCK); /* a wish from the future */
}

static void a_milder_provider_weighs_less_and_a_stricter_one_no_more(void **state)
{
    struct policy policy = POLICY_INIT;

    (void)state;
    policy.mode = PES_MODE_ENFORCE;
    assert_int_equal(decide(&policy, PES_KIND_SCRIPT_SHELL, PES_VERDICT_MALICIOUS,
                            PES_COVERAGE_FULL, ASK_STOP, 0, PES_MODE_OBSERVE)
                         .action,
                     PES_GO);
    policy.mode = PES_MODE_OBSERVE;
    assert_int_equal(decide(&policy, PES_KIND_SCRIPT_SHELL, PES_VERDICT_MALICIOUS,
                            PES_COVERAGE_FULL, ASK_STOP, 0, PES_MODE_ENFORCE)
                         .action,
                     PES_GO);
}

static void the_first_rule_that_fits_holds(void **state)
{
    struct policy policy = POLICY_INIT;

    (void)state;
    policy.n_rules = 3;
    strcpy(policy.rules[0].kind, "script.*");
    strcpy(policy.rules[0].app, "zsh");
    policy.rules[0].mode = PES_MODE_OBSERVE;
    strcpy(policy.rules[1].kind, "script.*");
    policy.rules[1].mode = PES_MODE_ENFORCE;
    strcpy(policy.rules[2].app, "bash");
    policy.rules[2].fail = PES_FAIL_WISH_DENY;
    assert_int_equal(decide(&policy, PES_KIND_SCRIPT_SHELL, PES_VERDICT_MALICIOUS,
                            PES_COVERAGE_FULL, ASK_STOP, 0, 0)
                         .action,
                     PES_STOP);
    assert_int_equal(decide(&policy, PES_KIND_MAIL_MESSAGE, PES_VERDICT_MALICIOUS,
                            PES_COVERAGE_FULL, ASK_STOP, 0, 0)
                         .action,
                     PES_GO);
    assert_int_equal(
        decide(&policy, PES_KIND_SCRIPT_SHELL, 0, PES_COVERAGE_NOT_EXAMINED, ASK_STOP, 0, 0)
            .disposition,
        PES_DISPOSITION_BLOCK);
}

static void a_path_means_one_program_and_a_name_any_of_that_name(void **state)
{
    static const struct {
        const char *rule;
        uint32_t action;
    } rows[] = {
        {"/usr/bin/bash", PES_GO},  {"bash", PES_GO},  {"/tmp/bash", PES_STOP},
        {"usr/bin/bash", PES_STOP}, {"zsh", PES_STOP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct policy policy = POLICY_INIT;

        policy.mode = PES_MODE_ENFORCE;
        policy.n_rules = 1;
        strcpy(policy.rules[0].app, rows[i].rule);
        policy.rules[0].mode = PES_MODE_OBSERVE;
        assert_int_equal(decide(&policy, PES_KIND_SCRIPT_SHELL, PES_VERDICT_MALICIOUS,
                                PES_COVERAGE_FULL, ASK_STOP, 0, 0)
                             .action,
                         rows[i].action);
    }
}

/* What is done about something malicious, with and without anybody having looked. */
static void decide_unknown(const struct policy *policy, uint32_t *ret_found, uint32_t *ret_failed)
{
    const struct policy_question question = {
        .kind = PES_KIND_SCRIPT_SHELL, .app = "", .can = ASK_STOP};
    struct combine_part part = {PES_STATUS_OK, PES_VERDICT_MALICIOUS, PES_COVERAGE_FULL, false};
    struct combine_result result;
    struct policy_decision decision;

    combine_parts(&part, 1, &result);
    policy_decide(policy, &question, &part, &(uint32_t){0}, 1, &result, &decision);
    *ret_found = decision.disposition;
    part = (struct combine_part){PES_STATUS_TIMEOUT, 0, 0, false};
    combine_parts(&part, 1, &result);
    policy_decide(policy, &question, &part, &(uint32_t){0}, 1, &result, &decision);
    *ret_failed = decision.disposition;
}

static void a_program_that_is_not_known_escapes_no_rule(void **state)
{
    struct policy policy = POLICY_INIT;
    uint32_t found, failed;

    (void)state;
    policy.n_rules = 3;
    strcpy(policy.rules[0].app, "bash");
    policy.rules[0].mode = PES_MODE_WARN;
    strcpy(policy.rules[1].app, "zsh");
    policy.rules[1].mode = PES_MODE_ENFORCE;
    policy.rules[1].fail = PES_FAIL_WISH_DENY;
    strcpy(policy.rules[2].kind, "mail.*");
    strcpy(policy.rules[2].app, "mutt");
    policy.rules[2].mode = PES_MODE_ENFORCE;
    decide_unknown(&policy, &found, &failed);
    assert_int_equal(found, PES_DISPOSITION_BLOCK);
    assert_int_equal(failed, PES_DISPOSITION_BLOCK);
    /* A rule of another kind is none of the question's, and one that all programs match ends the
     * search for it as well. */
    strcpy(policy.rules[0].kind, "script.*");
    policy.rules[0].app[0] = '\0';
    policy.rules[0].fail = PES_FAIL_WISH_ALLOW;
    decide_unknown(&policy, &found, &failed);
    assert_int_equal(found, PES_DISPOSITION_WARN);
    assert_int_equal(failed, PES_DISPOSITION_ALLOW_AND_REPORT);
}

static void a_program_that_is_not_known_gets_no_milder_rule(void **state)
{
    struct policy policy = POLICY_INIT;
    uint32_t found, failed;

    (void)state;
    policy.mode = PES_MODE_ENFORCE;
    policy.n_rules = 1;
    strcpy(policy.rules[0].app, "bash");
    policy.rules[0].mode = PES_MODE_OBSERVE;
    policy.rules[0].fail = PES_FAIL_WISH_ALLOW;
    decide_unknown(&policy, &found, &failed);
    assert_int_equal(found, PES_DISPOSITION_BLOCK);
    assert_int_equal(failed, PES_DISPOSITION_WARN);
}

static void no_action_is_given_that_the_client_did_not_declare(void **state)
{
    (void)state;
    for (uint32_t disposition = 0; disposition < 20; disposition++) {
        for (uint32_t can = 0; can < 4; can++) {
            uint32_t action = policy_fold(disposition, can);

            assert_true(action == PES_GO || action == PES_ASK || action == PES_STOP);
            assert_true(action != PES_ASK || (can & PES_CAN_ASK));
            assert_true(action != PES_STOP || (can & PES_CAN_STOP));
        }
    }
}

static void nothing_that_is_bad_enough_just_goes_when_the_client_can_do_better(void **state)
{
    (void)state;
    assert_int_equal(policy_fold(PES_DISPOSITION_BLOCK, PES_CAN_ASK), PES_ASK);
    assert_int_equal(policy_fold(PES_DISPOSITION_BLOCK, PES_CAN_STOP), PES_STOP);
    assert_int_equal(policy_fold(PES_DISPOSITION_ASK_USER, PES_CAN_STOP), PES_STOP);
    assert_int_equal(policy_fold(PES_DISPOSITION_NONE, ASK_STOP), PES_STOP);
    assert_int_equal(policy_fold(PES_DISPOSITION_RESTRICT, ASK_STOP), PES_STOP);
    assert_int_equal(policy_fold(PES_DISPOSITION_WARN, PES_CAN_STOP), PES_GO);
}

static void only_a_block_in_force_ends_the_waiting_early(void **state)
{
    const struct policy_question question = {
        .kind = PES_KIND_SCRIPT_SHELL, .app = "/usr/bin/bash", .can = ASK_STOP};
    struct combine_part part = {PES_STATUS_OK, PES_VERDICT_MALICIOUS, PES_COVERAGE_FULL, false};
    struct policy policy = POLICY_INIT;

    (void)state;
    assert_false(policy_is_decisive(&policy, &question, &part, 0));
    policy.mode = PES_MODE_ENFORCE;
    assert_true(policy_is_decisive(&policy, &question, &part, 0));
    assert_false(policy_is_decisive(&policy, &question, &part, PES_MODE_WARN));
    part.is_advisory = true;
    assert_false(policy_is_decisive(&policy, &question, &part, 0));
    part = (struct combine_part){PES_STATUS_OK, PES_VERDICT_SUSPICIOUS, PES_COVERAGE_FULL, false};
    assert_false(policy_is_decisive(&policy, &question, &part, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mode_makes_a_block_what_it_says),
        cmocka_unit_test(without_a_full_look_the_fail_mode_decides),
        cmocka_unit_test(a_mild_finding_does_not_buy_off_the_fail_mode),
        cmocka_unit_test(a_kind_from_the_future_may_let_something_run),
        cmocka_unit_test(a_wish_can_make_it_stricter_and_never_milder),
        cmocka_unit_test(a_milder_provider_weighs_less_and_a_stricter_one_no_more),
        cmocka_unit_test(the_first_rule_that_fits_holds),
        cmocka_unit_test(a_path_means_one_program_and_a_name_any_of_that_name),
        cmocka_unit_test(a_program_that_is_not_known_escapes_no_rule),
        cmocka_unit_test(a_program_that_is_not_known_gets_no_milder_rule),
        cmocka_unit_test(no_action_is_given_that_the_client_did_not_declare),
        cmocka_unit_test(nothing_that_is_bad_enough_just_goes_when_the_client_can_do_better),
        cmocka_unit_test(only_a_block_in_force_ends_the_waiting_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

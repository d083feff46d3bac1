/*
 * From a verdict to what to do.
 *
 * Two dispositions are computed: what enforcing would do, and what the mode in force makes of it.
 * `observe` lets everything go and records it, `warn` turns blocks into warnings. A provider may
 * count in a milder mode than the question's (it was just installed): its finding then weighs only
 * that much, and the worst weight wins.
 *
 * Without full coverage the fail mode counts: per rule, else by whether the kind lets something
 * run. The application's wish can make it stricter, never milder; and so can a finding.
 */
#include "broker/policy.h"

#include <string.h>

#include "wire/name_table.h"

static const struct {
    uint32_t verdict;
    uint32_t disposition;
} enforced[] = {
    {PES_VERDICT_KNOWN_GOOD, PES_DISPOSITION_ALLOW},
    {PES_VERDICT_NOT_DETECTED, PES_DISPOSITION_ALLOW},
    {PES_VERDICT_NO_OPINION, PES_DISPOSITION_ALLOW},
    {PES_VERDICT_UNCOMMON, PES_DISPOSITION_ALLOW_AND_REPORT},
    {PES_VERDICT_SUSPICIOUS, PES_DISPOSITION_ASK_USER},
    {PES_VERDICT_POTENTIALLY_UNWANTED, PES_DISPOSITION_WARN},
    {PES_VERDICT_SENSITIVE_DATA, PES_DISPOSITION_WARN},
    {PES_VERDICT_EXPLOIT_ATTEMPT, PES_DISPOSITION_BLOCK},
    {PES_VERDICT_MALICIOUS_SOURCE, PES_DISPOSITION_BLOCK},
    {PES_VERDICT_CREDENTIAL_THEFT, PES_DISPOSITION_BLOCK},
    {PES_VERDICT_DECEPTIVE_INSTRUCTION, PES_DISPOSITION_BLOCK},
    {PES_VERDICT_POLICY_FORBIDDEN, PES_DISPOSITION_BLOCK},
    {PES_VERDICT_MALICIOUS, PES_DISPOSITION_BLOCK},
    {PES_VERDICT_TEST_SAMPLE, PES_DISPOSITION_BLOCK},
};

/* Verdicts that are not in the table are from the future: let the person decide. */
static uint32_t enforced_disposition(uint32_t verdict)
{
    for (size_t i = 0; i < sizeof(enforced) / sizeof(enforced[0]); i++) {
        if (enforced[i].verdict == verdict) {
            return enforced[i].disposition;
        }
    }
    return PES_DISPOSITION_ASK_USER;
}

/* Strictness, for taking the worst of several. */
static unsigned weight(uint32_t disposition)
{
    switch (disposition) {
    case PES_DISPOSITION_ALLOW:
        return 1;
    case PES_DISPOSITION_ALLOW_AND_REPORT:
        return 2;
    case PES_DISPOSITION_WARN:
        return 3;
    case PES_DISPOSITION_WARN_WITH_REASON:
        return 4;
    case PES_DISPOSITION_ASK_USER:
        return 5;
    case PES_DISPOSITION_BLOCK:
        return 6;
    default: /* the others are not made here */
        return 0;
    }
}

static uint32_t stricter(uint32_t one, uint32_t other)
{
    return weight(other) > weight(one) ? other : one;
}

static uint32_t in_mode(uint32_t disposition, uint32_t mode)
{
    unsigned strictness = weight(disposition);

    if (mode == PES_MODE_ENFORCE || strictness <= weight(PES_DISPOSITION_ALLOW_AND_REPORT)) {
        return disposition;
    }
    if (mode == PES_MODE_WARN) {
        return strictness > weight(PES_DISPOSITION_ASK_USER) ? (uint32_t)PES_DISPOSITION_WARN
                                                             : disposition;
    }
    return PES_DISPOSITION_ALLOW_AND_REPORT;
}

/* Whether `path` is the program that a rule means: this very file, or any file of this name. */
static bool is_app(const char *wanted, const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(wanted, wanted[0] == '/' || !slash ? path : slash + 1) == 0;
}

/*
 * What the rules set for a question; the first that matches counts, else `otherwise`. When the
 * program is not known, each rule for one that comes before could have been it: then the strictest
 * of all these holds, or keeping a program from being identified would switch its rule off. Modes
 * and fail modes rise in strictness.
 */
static uint32_t by_rules(const struct policy *policy, const struct policy_question *question,
                         bool for_fail, uint32_t otherwise)
{
    const struct kind_info *kind = kind_by_number(question->kind);
    uint32_t strictest = 0;

    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct policy_rule *rule = &policy->rules[i];
        uint32_t value = for_fail ? rule->fail : rule->mode;

        if (value == 0 ||
            (rule->kind[0] && (!kind || !kind_pattern_matches(rule->kind, kind->name)))) {
            continue;
        }
        if (rule->app[0] && !question->app[0]) {
            strictest = value > strictest ? value : strictest;
        } else if (!rule->app[0] || is_app(rule->app, question->app)) {
            otherwise = value;
            break;
        }
    }
    return otherwise > strictest ? otherwise : strictest;
}

static uint32_t mode_of(const struct policy *policy, const struct policy_question *question)
{
    return by_rules(policy, question, false, policy->mode);
}

static uint32_t fail_disposition(const struct policy *policy,
                                 const struct policy_question *question)
{
    const struct kind_info *kind = kind_by_number(question->kind);
    /* A kind from the future may let something run. */
    bool is_execution = !kind || kind->is_execution;
    uint32_t fail = by_rules(policy, question, true,
                             is_execution ? policy->fail_execution : policy->fail_other);

    /* allow < warn < deny in the registry; a wish from the future counts as deny. */
    if (question->fail_wish > fail) {
        fail = question->fail_wish;
    }
    if (fail == PES_FAIL_WISH_ALLOW || fail == PES_FAIL_WISH_NONE) {
        return PES_DISPOSITION_ALLOW_AND_REPORT;
    }
    return fail == PES_FAIL_WISH_WARN ? PES_DISPOSITION_WARN : PES_DISPOSITION_BLOCK;
}

uint32_t policy_would(const struct combine_part *part)
{
    uint32_t would = enforced_disposition(part->verdict);

    if (part->is_advisory && weight(would) > weight(PES_DISPOSITION_WARN)) {
        would = PES_DISPOSITION_WARN;
    }
    return would;
}

/* What one part's verdict would have done, and does. */
static void weigh_part(const struct combine_part *part, uint32_t part_mode, uint32_t mode,
                       uint32_t *ret_would, uint32_t *ret_disposition)
{
    uint32_t would = policy_would(part);

    /* Modes rise in strictness: the milder of the two holds. */
    if (part_mode != PES_MODE_NONE && part_mode < mode) {
        mode = part_mode;
    }
    *ret_would = would;
    *ret_disposition = in_mode(would, mode);
}

/* The strictest of what the parts that answered ask for. */
static void weigh_parts(const struct combine_part *parts, const uint32_t *part_modes,
                        size_t n_parts, struct policy_decision *decision)
{
    for (size_t i = 0; i < n_parts; i++) {
        uint32_t would, disposition;

        if (parts[i].status != PES_STATUS_OK && parts[i].status != PES_STATUS_CACHED) {
            continue;
        }
        weigh_part(&parts[i], part_modes[i], decision->mode, &would, &disposition);
        decision->would = stricter(decision->would, would);
        decision->disposition = stricter(decision->disposition, disposition);
    }
}

void policy_decide(const struct policy *policy, const struct policy_question *question,
                   const struct combine_part *parts, const uint32_t *part_modes, size_t n_parts,
                   const struct combine_result *result, struct policy_decision *ret_decision)
{
    struct policy_decision decision = {
        .mode = mode_of(policy, question),
        .decided_by = PES_DECIDED_BY_VERDICT,
        .would = PES_DISPOSITION_ALLOW,
        .disposition = PES_DISPOSITION_ALLOW,
    };
    bool has_finding = verdict_is_finding(result->verdict);

    if (has_finding || result->coverage == PES_COVERAGE_FULL) {
        weigh_parts(parts, part_modes, n_parts, &decision);
    }
    if (result->coverage != PES_COVERAGE_FULL) {
        uint32_t would = fail_disposition(policy, question);
        uint32_t disposition = in_mode(would, decision.mode);

        /* A mild finding must not buy off what the lack of a full look costs. */
        if (!has_finding || weight(disposition) > weight(decision.disposition)) {
            decision.decided_by = PES_DECIDED_BY_FAIL_POLICY;
        }
        decision.would = stricter(decision.would, would);
        decision.disposition = stricter(decision.disposition, disposition);
    }
    decision.action = policy_fold(decision.disposition, question->can);
    *ret_decision = decision;
}

bool policy_is_decisive(const struct policy *policy, const struct policy_question *question,
                        const struct combine_part *part, uint32_t part_mode)
{
    uint32_t would, disposition;

    if (!verdict_is_finding(part->verdict)) {
        return false;
    }
    weigh_part(part, part_mode, mode_of(policy, question), &would, &disposition);
    return disposition == PES_DISPOSITION_BLOCK;
}

bool policy_has_app_rules(const struct policy *policy)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        if (policy->rules[i].app[0]) {
            return true;
        }
    }
    return false;
}

uint32_t policy_fold(uint32_t disposition, uint32_t can)
{
    bool can_ask = can & PES_CAN_ASK, can_stop = can & PES_CAN_STOP;

    switch (disposition) {
    case PES_DISPOSITION_ALLOW:
    case PES_DISPOSITION_ALLOW_AND_REPORT:
        return PES_GO;
    case PES_DISPOSITION_WARN:
        return can_ask ? PES_ASK : PES_GO;
    case PES_DISPOSITION_WARN_WITH_REASON:
    case PES_DISPOSITION_ASK_USER:
        return can_ask ? PES_ASK : (can_stop ? PES_STOP : PES_GO);
    default: /* block and all that this version cannot do milder */
        return can_stop ? PES_STOP : (can_ask ? PES_ASK : PES_GO);
    }
}

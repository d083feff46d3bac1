/*
 * The one answer to a question.
 *
 * Every way a question can end comes through here, so that each gets an action that the client can
 * do, a reference, and the reason when there is no verdict. Errors keep verdict none; what to do
 * then is the fail policy's to say.
 */
#include "broker/answer.h"

#include <stddef.h>
#include <string.h>

#include "base/reference.h"
#include "broker/combine.h"
#include "broker/content.h"
#include "broker/core.h"
#include "broker/policy.h"
#include "broker/question.h"
#include "broker/session.h"
#include "broker/worker_result.h"
#include "wire/name_table.h"
#include "wire/verdict_rank.h"

#define RETRY_AFTER_MS 100u

/* Room for results in one message, beside what the broker says itself; and the most that one
 * finding takes. */
#define RESULTS_BYTES_MAX (48u << 10)
#define FINDING_BYTES_MAX 384u

static uint32_t choose_message(const struct wire_answer *answer)
{
    if (answer->verdict == PES_VERDICT_TEST_SAMPLE) {
        return PES_MESSAGE_ID_TEST_SAMPLE;
    }
    if (answer->verdict == PES_VERDICT_POLICY_FORBIDDEN) {
        return PES_MESSAGE_ID_POLICY;
    }
    if (verdict_is_finding(answer->verdict)) {
        return verdict_rank(answer->verdict) < verdict_rank(PES_VERDICT_TEST_SAMPLE)
                   ? PES_MESSAGE_ID_SUSPICIOUS
                   : PES_MESSAGE_ID_FOUND;
    }
    if (answer->error == PES_E_NO_PROVIDER) {
        return PES_MESSAGE_ID_NO_PROVIDER;
    }
    if (answer->coverage == PES_COVERAGE_TOO_LARGE) {
        return PES_MESSAGE_ID_TOO_LARGE;
    }
    if (answer->error) {
        return PES_MESSAGE_ID_CALL_FAILED;
    }
    if (answer->coverage == PES_COVERAGE_NOT_EXAMINED) {
        return PES_MESSAGE_ID_COULD_NOT_CHECK;
    }
    return answer->coverage == PES_COVERAGE_FULL ? PES_MESSAGE_ID_NOTHING_FOUND
                                                 : PES_MESSAGE_ID_PARTLY_CHECKED;
}

static uint32_t choose_advice(const struct wire_answer *answer)
{
    if (answer->deciding_part) {
        const struct wire_part *part = &answer->parts[answer->deciding_part - 1];

        for (size_t i = 0; i < part->n_findings; i++) {
            if (part->findings[i].advice) {
                return part->findings[i].advice;
            }
        }
    }
    switch ((enum pes_message_id)answer->message_id) {
    case PES_MESSAGE_ID_TEST_SAMPLE:
        return PES_ADVICE_TEST_ONLY;
    case PES_MESSAGE_ID_POLICY:
        return PES_ADVICE_ASK_ADMIN;
    case PES_MESSAGE_ID_FOUND:
        return PES_ADVICE_DO_NOT_RUN;
    case PES_MESSAGE_ID_SUSPICIOUS:
        return PES_ADVICE_ASK_SENDER;
    case PES_MESSAGE_ID_COULD_NOT_CHECK:
    case PES_MESSAGE_ID_PARTLY_CHECKED:
    case PES_MESSAGE_ID_NO_PROVIDER:
        return PES_ADVICE_SEE_PROVIDERS;
    case PES_MESSAGE_ID_CALL_FAILED:
        return PES_ADVICE_TRY_AGAIN;
    case PES_MESSAGE_ID_NONE:
    case PES_MESSAGE_ID_NOTHING_FOUND:
    case PES_MESSAGE_ID_TOO_LARGE:
    case PES_MESSAGE_ID_BROKER_DOWN:
    case PES_MESSAGE_ID_NOT_INSTALLED:
        break;
    }
    return PES_ADVICE_NONE;
}

/* Fills in what follows from verdict, coverage and error. */
static void decide(struct core *core, const struct session *session, const struct wire_ask *ask,
                   const struct combine_part *parts, const uint32_t *modes, size_t n_parts,
                   struct wire_answer *answer)
{
    const struct policy_question question = {
        .kind = ask->kind,
        .app = session->identity.exe_path,
        .fail_wish = ask->fail_wish,
        .can = session->can,
    };
    const struct combine_result result = {.verdict = answer->verdict, .coverage = answer->coverage};
    struct policy_decision decision;

    policy_decide(&core->policy, &question, parts, modes, n_parts, &result, &decision);
    answer->disposition = decision.disposition;
    answer->would = decision.would;
    answer->decided_by = decision.decided_by;
    answer->action = decision.action;
    answer->mode = decision.mode;
    answer->message_id = choose_message(answer);
    answer->advice = choose_advice(answer);
}

/* References look random to people, so that nobody reads an order into them, and do not repeat
 * soon. */
static uint64_t next_reference(struct core *core)
{
    return (core->seed + ++core->n_references * UINT64_C(0x2545f491)) & ((UINT64_C(1) << 30) - 1);
}

/* Parts count up to `n_parts`, each set as a whole. To clear all sixteen of them, 45 KiB, would
 * cost more than everything else that is done for a short answer. */
static void answer_clear(struct wire_answer *answer)
{
    const size_t end_of_parts = offsetof(struct wire_answer, parts) + sizeof(answer->parts);

    memset(answer, 0, offsetof(struct wire_answer, parts));
    memset((char *)answer + end_of_parts, 0, sizeof(*answer) - end_of_parts);
}

static void send_answer(struct core *core, struct session *session, struct wire_answer *answer)
{
    char reference[REFERENCE_BYTES];

    reference_format(next_reference(core), reference);
    answer->ref = wire_text(reference);
    action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_ANSWER, answer)->session =
        session->handle;
}

void answer_refused(struct core *core, struct session *session, const struct wire_ask *ask,
                    uint32_t error, const char *quota, uint64_t now_us)
{
    struct wire_answer *answer = &core->outgoing->answer;
    struct stats_wait wait;

    answer_clear(answer);
    answer->id = ask->id;
    answer->error = error;
    answer->coverage = PES_COVERAGE_NOT_EXAMINED;
    answer->content_bytes = ask->content.size;
    if (quota) {
        answer->quota = wire_text(quota);
        answer->retry_after_ms = RETRY_AFTER_MS;
    }
    decide(core, session, ask, NULL, NULL, 0, answer);
    stats_wait_start(&wait, now_us);
    stats_add_question(&core->stats, &wait,
                       &(struct stats_question){.kind = ask->kind,
                                                .uid = session->peer.uid,
                                                .client = session->client,
                                                .is_unchecked = true,
                                                .action = answer->action,
                                                .would = answer->would},
                       now_us);
    send_answer(core, session, answer);
}

/* Content that was not sent, or not to its end, because it is too large. */
static bool is_too_large(const struct core *core, const struct question *question)
{
    if (question->is_too_large) {
        return true;
    }
    for (size_t i = 0; i < question->ask.n_context; i++) {
        const struct wire_item *item = &question->ask.context[i];

        if (item->field == PES_SUBJECT_FULL_SIZE) {
            return question->ask.has_no_content && item->value > core->max_content_bytes;
        }
    }
    return false;
}

static void fill_parts(struct core *core, const struct question *question,
                       struct wire_answer *answer)
{
    bool with_details = question->ask.flags & PES_SCAN_WANT_DETAILS;

    answer->n_parts = question->n_parts;
    for (size_t i = 0; i < question->n_parts; i++) {
        worker_result_tell(core, &question->parts[i], with_details, &answer->parts[i]);
    }
}

/*
 * Makes an answer fit one message, when many providers had much to say: evidence goes first, then
 * decoded views, then all but the worst finding of each (SPEC 5.2). What is left always fits.
 */
static void fit(const struct question *question, struct wire_answer *answer)
{
    size_t n_results = 0;

    for (size_t i = 0; i < question->n_parts; i++) {
        n_results += question->parts[i].n_result;
    }
    for (int step = 0; step < 3 && n_results > RESULTS_BYTES_MAX; step++) {
        n_results = 0;
        for (size_t i = 0; i < answer->n_parts; i++) {
            struct wire_part *part = &answer->parts[i];

            part->n_evidence = 0;
            part->decoded.size = step >= 1 ? 0 : part->decoded.size;
            part->n_findings = step >= 2 && part->n_findings > 1 ? 1 : part->n_findings;
            n_results += part->decoded.size + part->n_findings * FINDING_BYTES_MAX;
        }
    }
}

/* Counts findings per provider; returns the mask of those that found something. */
static uint32_t count_findings(struct question *question, const struct combine_part *parts)
{
    uint32_t mask = 0;
    size_t n_found = 0;

    for (size_t i = 0; i < question->n_parts; i++) {
        struct part *part = &question->parts[i];

        if (part->status == PES_STATUS_OK && verdict_is_finding(part->verdict)) {
            mask |= 1u << part->provider->index;
            n_found++;
        }
    }
    for (size_t i = 0; i < question->n_parts; i++) {
        struct provider *provider = question->parts[i].provider;

        if (mask >> provider->index & 1) {
            provider->stats.n_found++;
            provider->stats.n_found_alone += n_found == 1;
            provider->stats.n_would_block += policy_would(&parts[i]) == PES_DISPOSITION_BLOCK;
        }
    }
    return mask;
}

void answer_question(struct core *core, struct question *question, uint64_t now_us)
{
    struct session *session = question->session;
    struct wire_answer *answer = &core->outgoing->answer;
    struct combine_part parts[PROVIDERS_MAX];
    uint32_t modes[PROVIDERS_MAX];
    struct combine_result result;
    uint32_t found_mask;

    for (size_t i = 0; i < question->n_parts; i++) {
        const struct part *part = &question->parts[i];

        parts[i] = (struct combine_part){part->status, part->verdict, part->coverage,
                                         part->provider->is_advisory};
        modes[i] = part->provider->mode;
    }
    combine_parts(parts, question->n_parts, &result);
    answer_clear(answer);
    answer->id = question->ask.id;
    answer->verdict = result.verdict;
    answer->coverage =
        is_too_large(core, question) ? (uint32_t)PES_COVERAGE_TOO_LARGE : result.coverage;
    answer->deciding_part = (uint32_t)result.deciding;
    answer->content_bytes = question_content_bytes(question);
    answer->wall_us = now_us - question->received_us;
    if (question->is_cancelled) {
        answer->error = PES_E_CANCELLED;
        answer->verdict = PES_VERDICT_NONE; /* whatever was found so far, nobody waits for it */
        answer->coverage = PES_COVERAGE_NOT_EXAMINED;
        answer->deciding_part = 0;
    } else if (question->n_parts == 0 && !question->ask.has_no_content && !question->is_too_large) {
        answer->error = PES_E_NO_PROVIDER;
    }
    if (question->has_digest) {
        answer->digest = (struct wire_bytes){question->digest, sizeof(question->digest)};
    }
    fill_parts(core, question, answer);
    fit(question, answer);
    decide(core, session, &question->ask, parts, modes, question->n_parts, answer);
    found_mask = count_findings(question, parts);
    session_remember(session, answer->id, found_mask);
    stats_add_question(&core->stats, &question->wait,
                       &(struct stats_question){
                           .kind = question->ask.kind,
                           .uid = session->peer.uid,
                           .client = session->client,
                           .is_early = question->is_early,
                           .is_found = found_mask != 0,
                           .is_unchecked = answer->coverage != PES_COVERAGE_FULL && !found_mask,
                           .action = answer->action,
                           .would = answer->would},
                       now_us);
    send_answer(core, session, answer);
}

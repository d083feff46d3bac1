/*
 * Looks at the beginning of a stream while the rest of it is still to come.
 *
 * A provider that says so of itself is asked about what has come when that is one segment, and
 * again when it is at least twice as much as the last time, one look at a time; so all looks
 * together cover less than twice what there is in the end, and whoever is slow looks less often.
 * Only who could decide alone is asked. What is found then decides as it would of the whole, and
 * the rest need not come; what is not found means nothing, and everybody is asked about the whole
 * as ever. A look that is not ready when the whole is there is ended: it must keep nobody waiting.
 *
 * While a stream is coming in, nobody waits for a provider, so that no look counts as waiting. It
 * counts as a scan of its provider if it is in the answer, or failed; otherwise all that it leaves
 * in the sums is processor time.
 */
#include "broker/early_look.h"

#include <stdlib.h>

#include "broker/content.h"
#include "broker/core.h"
#include "broker/question.h"
#include "broker/session.h"

static bool is_due(const struct question *question)
{
    const struct content *row = question->content;
    size_t n_wanted = question->n_seen ? 2 * question->n_seen : 1;

    return !row->is_ended && row->n_joined >= n_wanted && !question_is_waiting(question);
}

/* Those of the last look, all of which have ended. */
static void drop_parts(struct question *question)
{
    for (size_t i = 0; i < question->n_parts; i++) {
        question->parts[i].provider->n_parts--;
        free(question->parts[i].result);
    }
    question->n_parts = 0;
}

void early_look_review(struct core *core, struct question *question, uint64_t now_us)
{
    uint64_t deadline_us = question_answer_by(core, question, now_us);

    if (!is_due(question) || question->session->is_own) {
        return; /* nothing new, or nobody is asked at all */
    }
    drop_parts(question);
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        struct provider *provider = &core->providers[i];

        if (provider_takes_beginning(provider, question->ask.kind) &&
            question_could_decide(core, question, provider)) {
            struct part *part = question_add_part(core, question, provider, now_us);

            part->is_of_beginning = true;
            part->deadline_us = part->deadline_us < deadline_us ? part->deadline_us : deadline_us;
        }
    }
    if (question->n_parts == 0) {
        return;
    }
    question->n_seen = question->content->n_joined;
    for (size_t i = 0; i < question->n_parts; i++) {
        provider_dispatch(core, question->parts[i].provider, now_us);
    }
    question_arm(core, question);
}

static bool has_part(const struct question *question, const struct provider *provider)
{
    for (size_t i = 0; i < question->n_parts; i++) {
        if (question->parts[i].provider == provider) {
            return true;
        }
    }
    return false;
}

/* Who takes its kind and was not asked will not be any more, and is in the answer as such. */
static void add_skipped(struct core *core, struct question *question, uint64_t now_us)
{
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        struct provider *provider = &core->providers[i];

        if (provider_takes(provider, question->ask.kind) && !has_part(question, provider)) {
            (void)question_add_part(core, question, provider, now_us);
        }
    }
}

void early_look_on_finished(struct core *core, struct part *part, uint64_t now_us)
{
    struct question *question = part->question;

    if (part->status != PES_STATUS_OK) {
        if (part->started_us) {
            part_count(part);
        }
        return;
    }
    if (part->coverage == PES_COVERAGE_FULL) {
        part->coverage = PES_COVERAGE_PARTIAL_SIZE; /* of what has come, which is not all */
    }
    if (question_is_decided(core, question)) {
        add_skipped(core, question, now_us);
        question_decide_early(core, question, now_us);
    }
}

void early_look_end(struct core *core, struct question *question)
{
    question_end_parts(core, question, PES_STATUS_SKIPPED_EARLY_DECISION, core->now_us);
    drop_parts(question);
}

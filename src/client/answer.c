/*
 * Answers: copied out of the broker's message into one block, made harmless, and checked.
 *
 * An answer outlives its request, its connection and its context, so nothing in it points anywhere
 * else. All text in it has been through safe_text(). What the broker says is taken as it is,
 * values from the future included, except where it would break a promise of ours: an action is one
 * that the application declared; known_good needs full coverage; a digest has 32 bytes.
 *
 * Without memory there are static answers, one per action, so that pes_ask() always has one to
 * give. They must not be written to.
 */
#include "client/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pes/enums.h>

#include "base/safe_text.h"
#include "client/advice.h"
#include "client/fallback.h"
#include "client/fold.h"
#include "client/message.h"

#define STATIC_INFO(act, disp, msg, err)                                                           \
    {                                                                                              \
        .size_bytes = sizeof(struct pes_answer_info), .error = -(err),                             \
        .coverage = PES_COVERAGE_NOT_EXAMINED, .disposition = (disp), .would = (disp),             \
        .decided_by = PES_DECIDED_BY_FAIL_POLICY, .action = (act), .message_id = (msg), .ref = "", \
        .advice_text = "", .quota = ""                                                             \
    }

/* By action; nobody looked at anything. */
static const struct pes_answer static_answers[] = {
    [PES_GO] = {.is_static = true,
                .content = CONTENT_INIT,
                .message = "It could not be checked: out of memory.",
                .info = STATIC_INFO(PES_GO, PES_DISPOSITION_ALLOW_AND_REPORT,
                                    PES_MESSAGE_ID_CALL_FAILED, PES_E_NO_MEMORY)},
    [PES_ASK] = {.is_static = true,
                 .content = CONTENT_INIT,
                 .message = "It could not be checked: out of memory.",
                 .info = STATIC_INFO(PES_ASK, PES_DISPOSITION_WARN, PES_MESSAGE_ID_CALL_FAILED,
                                     PES_E_NO_MEMORY)},
    [PES_STOP] = {.is_static = true,
                  .content = CONTENT_INIT,
                  .message = "It could not be checked: out of memory.",
                  .info = STATIC_INFO(PES_STOP, PES_DISPOSITION_BLOCK, PES_MESSAGE_ID_CALL_FAILED,
                                      PES_E_NO_MEMORY)},
};

static const struct pes_answer static_not_installed = {
    .is_static = true,
    .content = CONTENT_INIT,
    .message = "It was not checked: pes is not installed.",
    .info =
        STATIC_INFO(PES_GO, PES_DISPOSITION_ALLOW, PES_MESSAGE_ID_NOT_INSTALLED, PES_E_NO_BROKER),
};

static struct pes_answer *unconst(const struct pes_answer *answer)
{
    return (struct pes_answer *)(uintptr_t)answer;
}

struct pes_answer *answer_static(uint32_t action)
{
    return unconst(&static_answers[action]);
}

struct pes_answer *answer_static_unknown(bool is_installed)
{
    return unconst(is_installed ? &static_answers[PES_STOP] : &static_not_installed);
}

void answer_free(struct pes_answer *answer)
{
    if (!answer || answer->is_static) {
        return;
    }
    content_fini(&answer->content);
    free(answer);
}

/* ---- layout */

/* How many of everything go into the block behind the answer. */
struct layout {
    size_t n_parts, n_findings, n_evidence, n_text;
};

/* The block's parts while it is being filled. */
struct block {
    struct answer_part *parts;
    struct pes_finding *findings;
    struct pes_evidence *evidence;
    char *text;
    size_t n_text; /* left */
};

/* An escape is at most four times as long as what it stands for. */
static size_t room_for(struct wire_bytes bytes)
{
    return bytes.size * 4 + 1;
}

static void measure_part(struct layout *layout, const struct wire_part *part)
{
    layout->n_findings += part->n_findings;
    layout->n_evidence += part->n_evidence;
    layout->n_text += room_for(part->name) + room_for(part->version) + room_for(part->definitions) +
                      room_for(part->decoded);
    for (size_t i = 0; i < part->n_findings; i++) {
        const struct wire_finding *finding = &part->findings[i];

        layout->n_text += room_for(finding->detection) + room_for(finding->family) +
                          room_for(finding->rule_id) + room_for(finding->technique);
    }
    for (size_t i = 0; i < part->n_evidence; i++) {
        layout->n_text += room_for(part->evidence[i].what);
    }
}

static struct pes_answer *allocate(const struct layout *layout, struct block *ret_block)
{
    size_t n_parts = sizeof(struct pes_answer);
    size_t n_findings = n_parts + layout->n_parts * sizeof(struct answer_part);
    size_t n_evidence = n_findings + layout->n_findings * sizeof(struct pes_finding);
    size_t n_text = n_evidence + layout->n_evidence * sizeof(struct pes_evidence);
    char *bytes = calloc(1, n_text + layout->n_text);
    struct pes_answer *answer;

    if (!bytes) {
        return NULL;
    }
    *ret_block = (struct block){
        .parts = (struct answer_part *)(void *)(bytes + n_parts),
        .findings = (struct pes_finding *)(void *)(bytes + n_findings),
        .evidence = (struct pes_evidence *)(void *)(bytes + n_evidence),
        .text = bytes + n_text,
        .n_text = layout->n_text,
    };
    answer = (struct pes_answer *)(void *)bytes;
    list_init(&answer->node);
    answer->content = (struct content)CONTENT_INIT;
    answer->parts = ret_block->parts;
    answer->info.size_bytes = sizeof(answer->info);
    return answer;
}

static const char *put_text(struct block *block, struct wire_bytes bytes)
{
    const char *text = block->text;
    size_t n = safe_text(block->text, block->n_text, bytes.data, bytes.size) + 1;

    block->text += n;
    block->n_text -= n;
    return text;
}

/* ---- contents */

static void put_findings(struct block *block, struct answer_part *to, const struct wire_part *from)
{
    to->findings = block->findings;
    for (size_t i = 0; i < from->n_findings; i++) {
        const struct wire_finding *finding = &from->findings[i];

        *block->findings++ = (struct pes_finding){
            .size_bytes = sizeof(struct pes_finding),
            .verdict = finding->verdict,
            .severity = finding->severity,
            .confidence = finding->confidence > 100 ? 100 : finding->confidence,
            .advice = finding->advice,
            .detection = put_text(block, finding->detection),
            .family = put_text(block, finding->family),
            .rule_id = put_text(block, finding->rule_id),
            .technique = put_text(block, finding->technique),
        };
    }
    to->evidence = block->evidence;
    for (size_t i = 0; i < from->n_evidence; i++) {
        const struct wire_evidence *evidence = &from->evidence[i];

        *block->evidence++ = (struct pes_evidence){
            .size_bytes = sizeof(struct pes_evidence),
            .finding = evidence->finding,
            .offset = evidence->offset,
            .length = evidence->length,
            .what = put_text(block, evidence->what),
        };
    }
}

static void put_part(struct block *block, const struct wire_part *from)
{
    struct answer_part *to = block->parts++;

    to->shown = (struct pes_part){
        .size_bytes = sizeof(struct pes_part),
        .status = from->status,
        .signal = from->signal,
        .exit_status = from->exit_status >= 256 ? (int)((from->exit_status - 256) & 0xff) : -1,
        .limit = from->limit,
        .verdict = from->verdict,
        .coverage = from->coverage,
        .mode = from->mode,
        .n_findings = (uint32_t)from->n_findings,
        .n_findings_total = from->n_findings_total,
        .n_evidence = (uint32_t)from->n_evidence,
        .bytes_examined = from->bytes_examined,
        .queue_us = from->queue_us,
        .wall_us = from->wall_us,
        .cpu_us = from->cpu_us,
        .name = put_text(block, from->name),
        .version = put_text(block, from->version),
        .definitions = put_text(block, from->definitions),
        .decoded = put_text(block, from->decoded),
    };
    if (to->shown.n_findings_total < to->shown.n_findings) {
        to->shown.n_findings_total = to->shown.n_findings;
    }
    put_findings(block, to, from);
}

static bool is_possible(uint32_t action, uint32_t can)
{
    return action == PES_GO || (action == PES_ASK && (can & PES_CAN_ASK)) ||
           (action == PES_STOP && (can & PES_CAN_STOP));
}

static void put_info(struct pes_answer *answer, const struct wire_answer *wire,
                     const struct answer_about *about, const char *ref, const char *quota)
{
    struct pes_answer_info *info = &answer->info;

    info->error = wire->error <= INT32_MAX ? -(int)wire->error : -PES_E_INTERNAL;
    info->verdict = wire->verdict;
    info->coverage = wire->coverage;
    if (info->verdict == PES_VERDICT_KNOWN_GOOD && info->coverage != PES_COVERAGE_FULL) {
        info->verdict = PES_VERDICT_NOT_DETECTED;
    }
    info->disposition = wire->disposition;
    info->would = wire->would;
    info->decided_by = wire->decided_by;
    info->action =
        is_possible(wire->action, about->can) ? wire->action : fold(wire->disposition, about->can);
    info->mode = wire->mode;
    info->message_id = wire->message_id;
    info->advice = wire->advice;
    info->retry_after_ms = wire->retry_after_ms;
    info->n_parts = (uint32_t)wire->n_parts;
    info->deciding_part = wire->deciding_part <= wire->n_parts ? wire->deciding_part : 0;
    info->content_bytes = about->content_bytes;
    info->wall_us = about->wall_us;
    info->broker_us = wire->wall_us;
    info->ref = ref;
    info->quota = quota;
    info->advice_text = advice_text(wire->advice);
    if (wire->digest.size == ANSWER_DIGEST_BYTES) {
        memcpy(answer->digest, wire->digest.data, ANSWER_DIGEST_BYTES);
        info->digest = answer->digest;
    }
}

/* The last thing to be made: it tells all that came before. */
static void put_message(struct pes_answer *answer, struct block *block,
                        const struct answer_about *about)
{
    message_compose(block->text, ANSWER_MESSAGE_BYTES, answer, about);
    answer->message = block->text;
}

int answer_new(struct pes_answer **ret_answer, const struct wire_answer *wire,
               const struct answer_about *about)
{
    struct layout layout = {.n_parts = wire->n_parts};
    struct pes_answer *answer;
    struct block block;
    const char *ref, *quota;

    layout.n_text = ANSWER_MESSAGE_BYTES + room_for(wire->ref) + room_for(wire->quota);
    for (size_t i = 0; i < wire->n_parts; i++) {
        measure_part(&layout, &wire->parts[i]);
    }
    answer = allocate(&layout, &block);
    if (!answer) {
        return -ENOMEM;
    }
    answer->kind = about->kind;
    answer->id = wire->id;
    ref = put_text(&block, wire->ref);
    quota = put_text(&block, wire->quota);
    put_info(answer, wire, about, ref, quota);
    for (size_t i = 0; i < wire->n_parts; i++) {
        put_part(&block, &wire->parts[i]);
    }
    put_message(answer, &block, NULL);
    *ret_answer = answer;
    return 0;
}

int answer_new_fallback(struct pes_answer **ret_answer, uint32_t error,
                        const struct fallback *fallback, const struct answer_about *about)
{
    struct layout layout = {.n_text = ANSWER_MESSAGE_BYTES};
    struct pes_answer *answer;
    struct block block;

    answer = allocate(&layout, &block);
    if (!answer) {
        return -ENOMEM;
    }
    answer->kind = about->kind;
    answer->info = (struct pes_answer_info){
        .size_bytes = sizeof(answer->info),
        .error = error <= INT32_MAX ? -(int)error : -PES_E_INTERNAL,
        .verdict = PES_VERDICT_NONE,
        .coverage = PES_COVERAGE_NOT_EXAMINED,
        .disposition = fallback->disposition,
        .would = fallback->disposition,
        .decided_by = PES_DECIDED_BY_FAIL_POLICY,
        .action = fold(fallback->disposition, about->can),
        .message_id = fallback->message_id,
        .advice = fallback->advice,
        .retry_after_ms = about->retry_after_ms,
        .content_bytes = about->content_bytes,
        .wall_us = about->wall_us,
        .ref = "",
        .advice_text = advice_text(fallback->advice),
        .quota = about->quota ? about->quota : "",
    };
    put_message(answer, &block, about);
    *ret_answer = answer;
    return 0;
}

/*
 * A worker's answer.
 *
 * It comes from a process that content may have taken over, so that it is believed in one thing
 * only: its opinion. It must be one well-formed message about the very scan it was given, within
 * its limits, with indices and places that exist and names of harmless characters, and it must not
 * contradict itself (SPEC 11); whatever else it says ends the worker.
 */
#include "broker/worker_result.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core.h"
#include "broker/question.h"
#include "wire/name_table.h"
#include "wire/verdict_rank.h"

/* Names are shown to people and go into logs and shells: [A-Za-z0-9._:/!-] and nothing else. */
static bool is_name(struct wire_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("._:/!-", c)))) {
            return false;
        }
    }
    return true;
}

/* The findings are well named, worst first, and all counted. */
static bool are_findings_sound(const struct wire_result *result)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        const struct wire_finding *finding = &result->findings[i];

        if (!is_name(finding->detection) || !is_name(finding->family) ||
            !is_name(finding->rule_id) || !is_name(finding->technique) ||
            finding->confidence > 100) {
            return false;
        }
        if (i > 0 && verdict_rank(finding->verdict) > verdict_rank(finding[-1].verdict)) {
            return false;
        }
    }
    for (size_t i = 0; i < result->n_evidence; i++) {
        if (result->evidence[i].finding >= result->n_findings) {
            return false;
        }
    }
    return result->n_findings_total >= result->n_findings;
}

/* The verdict is that of the first finding, the one that is shown beside it; and who has looked has
 * something to say about it. */
static bool is_verdict_sound(const struct wire_result *result)
{
    uint32_t worst = result->n_findings > 0 ? result->findings[0].verdict : PES_VERDICT_NONE;

    if (result->verdict == PES_VERDICT_NONE) {
        return result->n_findings == 0 && (result->coverage == PES_COVERAGE_NONE ||
                                           result->coverage == PES_COVERAGE_NOT_EXAMINED);
    }
    return verdict_is_finding(result->verdict)
               ? result->n_findings > 0 && result->verdict == worst
               : result->n_findings == 0 || !verdict_is_finding(worst);
}

/* SPEC 5.1: full means that somebody looked at every byte. */
static bool is_coverage_sound(const struct wire_result *result, uint64_t content_bytes)
{
    return result->coverage == PES_COVERAGE_FULL ? result->bytes_examined == content_bytes
                                                 : result->bytes_examined <= content_bytes;
}

/* The host has cut what a module said to the content, so that a range beyond it is not its word. */
static bool is_within_content(const struct wire_result *result, uint64_t n_bytes)
{
    for (size_t i = 0; i < result->n_evidence; i++) {
        const struct wire_evidence *evidence = &result->evidence[i];

        if (evidence->offset > n_bytes || evidence->length > n_bytes - evidence->offset) {
            return false;
        }
    }
    return true;
}

int worker_result_take(struct core *core, struct part *part, const uint8_t *bytes, size_t n_bytes)
{
    const struct wire_result *result = &core->scratch->result;
    struct wire_fault fault;

    if (n_bytes > WIRE_RESULT_BYTES_MAX ||
        wire_decode(core->scratch, bytes, n_bytes, &fault) != 0 ||
        core->scratch->type != WIRE_TYPE_RESULT || result->id != part->id ||
        !are_findings_sound(result) || !is_verdict_sound(result) ||
        !is_coverage_sound(result, part->n_bytes) || !is_within_content(result, part->n_bytes)) {
        return WORKER_RESULT_E_INVALID;
    }
    part->result = malloc(n_bytes);
    if (!part->result) {
        return -ENOMEM;
    }
    memcpy(part->result, bytes, n_bytes);
    part->n_result = n_bytes;
    part->verdict = result->verdict;
    part->coverage = result->coverage ? result->coverage : (uint32_t)PES_COVERAGE_NOT_EXAMINED;
    part->cpu_us = result->cpu_us;
    return 0;
}

void worker_result_tell(struct core *core, const struct part *part, bool with_details,
                        struct wire_part *ret_part)
{
    const struct wire_result *result = &core->scratch->result;
    struct wire_fault fault;
    uint64_t end_us = part->finished_us;

    *ret_part = (struct wire_part){
        .name = wire_text(part->provider->name),
        .version = wire_text(part->version),
        .definitions = wire_text(part->definitions),
        .status = part->status,
        .signal = part->signal,
        .exit_status = part->exit_status,
        .limit = part->limit,
        .verdict = part->verdict,
        .coverage = part->coverage,
        .queue_us = (part->started_us ? part->started_us : end_us) - part->queued_us,
        .wall_us = part->started_us ? end_us - part->started_us : 0,
        .cpu_us = part->cpu_us,
        .mode = part->provider->mode ? part->provider->mode : core->policy.mode,
    };
    if (!part->result || wire_decode(core->scratch, part->result, part->n_result, &fault) != 0) {
        return;
    }
    ret_part->bytes_examined = result->bytes_examined;
    ret_part->n_findings_total = result->n_findings_total;
    ret_part->decoded = result->decoded;
    ret_part->n_findings = with_details || result->n_findings == 0 ? result->n_findings : 1;
    memcpy(ret_part->findings, result->findings,
           ret_part->n_findings * sizeof(result->findings[0]));
    if (with_details) {
        ret_part->n_evidence = result->n_evidence;
        memcpy(ret_part->evidence, result->evidence,
               result->n_evidence * sizeof(result->evidence[0]));
    }
}

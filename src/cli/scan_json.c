/*
 * `pes scan --json`: one object per question, in the order of the items.
 *
 * An item that could not be read has its line, too, with the reason as `error` and nothing that
 * looks like an answer. Fields are only ever added. All values of a fixed set are registry names.
 */
#include "cli/scan_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pes/pes.h>

#include "cli/json_text.h"

#define DIGEST_BYTES 32

static void put_name(json_t *object, const struct item *item)
{
    bool is_escaped = false;

    json_object_set_new(object, "name", json_text(item->name, &is_escaped));
    if (is_escaped) {
        json_t *hex = NULL;
        size_t n = strlen(item->name);
        char *digits = malloc(2 * n + 1);

        for (size_t i = 0; digits && i < n; i++) {
            snprintf(digits + 2 * i, 3, "%02x", (unsigned char)item->name[i]);
        }
        hex = digits ? json_string(digits) : NULL;
        free(digits);
        json_object_set_new(object, "name_hex", hex);
    }
    json_object_set_new(object, "item",
                        item->ordinal ? json_integer((json_int_t)item->ordinal) : json_null());
}

static json_t *digest_json(const uint8_t *digest)
{
    char digits[2 * DIGEST_BYTES + 1] = "";

    if (!digest) {
        return json_null();
    }
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        snprintf(digits + 2 * i, 3, "%02x", digest[i]);
    }
    return json_string(digits);
}

/* Places lie within the content, as the broker sees to, so that they fit json_int_t. */
static json_t *evidence_json(const struct pes_answer *answer, uint32_t part_index,
                             const struct pes_part *part, uint32_t finding)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < part->n_evidence; i++) {
        struct pes_evidence evidence = {.size_bytes = sizeof(evidence)};

        if (pes_answer_evidence(answer, part_index, i, &evidence) == 0 &&
            evidence.finding == finding) {
            json_array_append_new(list, json_pack("{s:I, s:I, s:o}", "offset",
                                                  (json_int_t)evidence.offset, "length",
                                                  (json_int_t)evidence.length, "what",
                                                  json_text_or_null(evidence.what)));
        }
    }
    return list;
}

static json_t *finding_json(const struct pes_answer *answer, uint32_t part_index,
                            const struct pes_part *part, uint32_t index,
                            const struct pes_finding *finding)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:s, s:i, s:o}", "detection",
        json_text_or_null(finding->detection), "family", json_text_or_null(finding->family),
        "rule_id", json_text_or_null(finding->rule_id), "technique",
        json_text_or_null(finding->technique), "verdict", pes_verdict_name(finding->verdict),
        "severity", pes_severity_name(finding->severity), "confidence", (int)finding->confidence,
        "evidence", evidence_json(answer, part_index, part, index));
}

static json_t *findings_json(const struct pes_answer *answer, uint32_t part_index,
                             const struct pes_part *part)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < part->n_findings; i++) {
        struct pes_finding finding = {.size_bytes = sizeof(finding)};

        if (pes_answer_finding(answer, part_index, i, &finding) == 0) {
            json_array_append_new(list, finding_json(answer, part_index, part, i, &finding));
        }
    }
    return list;
}

/* The worst finding stands beside the verdict, for those who look no further. */
static void put_worst_finding(json_t *object, const struct pes_answer *answer, uint32_t index,
                              const struct pes_part *part)
{
    struct pes_finding worst = {.size_bytes = sizeof(worst)};

    if (part->n_findings > 0) {
        (void)pes_answer_finding(answer, index, 0, &worst);
    }
    json_object_set_new(object, "detection", json_text_or_null(worst.detection));
    json_object_set_new(object, "severity", json_string(pes_severity_name(worst.severity)));
    json_object_set_new(object, "confidence", json_integer(worst.confidence));
}

static json_t *part_json(const struct pes_answer *answer, uint32_t index)
{
    struct pes_part part = {.size_bytes = sizeof(part)};
    json_t *object = json_object();

    if (pes_answer_part(answer, index, &part) < 0) {
        return object;
    }
    json_object_set_new(object, "name", json_text_or_null(part.name));
    json_object_set_new(object, "version", json_text_or_null(part.version));
    json_object_set_new(object, "definitions", json_text_or_null(part.definitions));
    json_object_set_new(object, "status", json_string(pes_status_name(part.status)));
    json_object_set_new(object, "signal",
                        part.signal ? json_string(pes_signal_name(part.signal)) : json_null());
    json_object_set_new(object, "exit_status",
                        part.status == PES_STATUS_CRASHED && !part.signal && part.exit_status >= 0
                            ? json_integer(part.exit_status)
                            : json_null());
    json_object_set_new(object, "limit",
                        part.limit ? json_string(pes_limit_name(part.limit)) : json_null());
    json_object_set_new(object, "verdict", json_string(pes_verdict_name(part.verdict)));
    put_worst_finding(object, answer, index, &part);
    json_object_set_new(object, "coverage", json_string(pes_coverage_name(part.coverage)));
    json_object_set_new(object, "mode", json_string(pes_mode_name(part.mode)));
    json_object_set_new(object, "bytes_examined", json_integer((json_int_t)part.bytes_examined));
    json_object_set_new(object, "wall_us", json_integer((json_int_t)part.wall_us));
    json_object_set_new(object, "queue_us", json_integer((json_int_t)part.queue_us));
    json_object_set_new(object, "cpu_us", json_integer((json_int_t)part.cpu_us));
    json_object_set_new(object, "findings", findings_json(answer, index, &part));
    json_object_set_new(object, "n_findings_total", json_integer(part.n_findings_total));
    json_object_set_new(object, "decoded", json_text_or_null(part.decoded));
    return object;
}

static json_t *parts_json(const struct pes_answer *answer, uint32_t n_parts)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n_parts; i++) {
        json_array_append_new(list, part_json(answer, i));
    }
    return list;
}

/* Fields of an answer; for an item that could not be read @info says that nobody looked. */
static void put_answer(json_t *object, const struct pes_answer_info *info, const char *error,
                       const char *message)
{
    json_object_set_new(object, "verdict", json_string(pes_verdict_name(info->verdict)));
    json_object_set_new(object, "coverage", json_string(pes_coverage_name(info->coverage)));
    json_object_set_new(object, "disposition",
                        json_string(pes_disposition_name(info->disposition)));
    json_object_set_new(object, "would", json_string(pes_disposition_name(info->would)));
    json_object_set_new(object, "action",
                        info->action ? json_string(pes_action_name(info->action)) : json_null());
    json_object_set_new(object, "decided_by", json_string(pes_decided_by_name(info->decided_by)));
    json_object_set_new(object, "mode", json_string(pes_mode_name(info->mode)));
    json_object_set_new(object, "digest", digest_json(info->digest));
    json_object_set_new(object, "ref", json_text_or_null(info->ref));
    json_object_set_new(object, "wall_us", json_integer((json_int_t)info->wall_us));
    json_object_set_new(object, "broker_us", json_integer((json_int_t)info->broker_us));
    json_object_set_new(object, "content_bytes", json_integer((json_int_t)info->content_bytes));
    json_object_set_new(object, "error", json_text_or_null(error));
    json_object_set_new(object, "message", json_text_or_null(message));
    json_object_set_new(object, "advice", json_text_or_null(info->advice_text));
    json_object_set_new(object, "quota", json_text_or_null(info->quota));
}

int scan_json_print(const struct window_result *result)
{
    struct pes_answer_info info = {
        .size_bytes = sizeof(info),
        .coverage = PES_COVERAGE_NOT_EXAMINED,
    };
    const char *error = result->item->problem;
    const char *message = NULL;
    json_t *object = json_object();

    if (!object) {
        return -ENOMEM;
    }
    if (result->answer) {
        pes_answer_info(result->answer, &info);
        error = info.error ? pes_error_text(info.error) : NULL;
        message = pes_answer_message(result->answer);
        if (result->item->is_too_large) {
            info.content_bytes = result->item->full_size; /* as far as it was seen */
        }
    }
    put_name(object, result->item);
    json_object_set_new(object, "kind",
                        result->kind ? json_string(pes_kind_name(result->kind)) : json_null());
    put_answer(object, &info, error, message);
    json_object_set_new(object, "providers",
                        result->answer ? parts_json(result->answer, info.n_parts) : json_array());
    return json_print_line(object);
}

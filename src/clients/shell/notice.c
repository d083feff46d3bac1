/*
 * The notice about a pasted line.
 *
 * The library's message says what happened, who says so or failed, what next, and a reference; here
 * it is laid out with a label for each. Below, every provider that objects or failed has a line of
 * its own. Text that comes from the line itself is escaped; text of an answer is safe by the
 * contract of <pes/answer.h>. Nothing depends on colour.
 */
#include "clients/shell/notice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <pes/names.h>

#include "base/safe_text.h"
#include "clients/shell/wrap.h"

#define TEXT_BYTES      1024
#define MESSAGE_BYTES   8192
#define LINE_CHARACTERS 40 /* of the pasted line, at least */
#define DECODED_BYTES   320

/* Whether a part has to do with the line's not running: it objects, or should have answered. */
static bool is_told(const struct pes_part *part)
{
    switch ((enum pes_status)part->status) {
    case PES_STATUS_OK:
    case PES_STATUS_CACHED:
        return part->n_findings_total > 0;
    case PES_STATUS_NOT_COMPETENT:
    case PES_STATUS_SKIPPED_EARLY_DECISION:
    case PES_STATUS_SHADOW:
        return false;
    case PES_STATUS_NONE:
    case PES_STATUS_TIMEOUT:
    case PES_STATUS_CRASHED:
    case PES_STATUS_RESOURCE_LIMIT:
    case PES_STATUS_RESTARTING:
    case PES_STATUS_PAUSED:
    case PES_STATUS_OVERLOADED:
    case PES_STATUS_EXCLUDED_BY_POLICY:
    case PES_STATUS_EXCLUDED_BY_USER:
    case PES_STATUS_NOT_READY:
    case PES_STATUS_STALE_DEFINITIONS:
    case PES_STATUS_SELFTEST_FAILED:
    case PES_STATUS_CANCELLED:
    case PES_STATUS_PROTOCOL_ERROR:
    case PES_STATUS_LATE:
        return true;
    }
    return true;
}

/* Appends to a text of TEXT_BYTES; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void append(char *text, const char *format, ...)
{
    size_t n = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + n, TEXT_BYTES - n, format, args);
    va_end(args);
}

/* "yara 4.2.3: Encoded_Into_Shell (malicious, severity high, T1027.010)" */
static void finding_text(const struct notice *notice, uint32_t index, const struct pes_part *part,
                         char *text)
{
    struct pes_finding finding = {.size_bytes = sizeof(finding)};

    append(text, "%s %s: ", part->name, part->version);
    if (part->n_findings == 0 || pes_answer_finding(notice->answer, index, 0, &finding) < 0) {
        append(text, "%s", pes_verdict_name(part->verdict));
        return;
    }
    append(text, "%s (%s", finding.detection, pes_verdict_name(finding.verdict));
    if (finding.severity != PES_SEVERITY_NONE) {
        append(text, ", severity %s", pes_severity_name(finding.severity));
    }
    if (finding.technique[0] != '\0') {
        append(text, ", %s", finding.technique);
    }
    append(text, ")");
    if (part->n_findings_total > 1) {
        append(text, " and %u more", part->n_findings_total - 1);
    }
}

/* "scripted 1.0: crashed, SIGSEGV, after 12 ms" */
static void failure_text(const struct pes_part *part, char *text)
{
    uint64_t took_us = part->queue_us + part->wall_us;
    const char *what = "";

    if (part->status == PES_STATUS_CRASHED && part->signal != 0) {
        what = pes_signal_name(part->signal);
    } else if (part->status == PES_STATUS_RESOURCE_LIMIT) {
        what = pes_limit_name(part->limit);
    }
    append(text, "%s %s: %s%s%s", part->name, part->version, pes_status_name(part->status),
           what[0] ? ", " : "", what);
    if (took_us < 1000) {
        append(text, " after < 1 ms");
    } else {
        append(text, " after %.0f ms", (double)took_us / 1000.0);
    }
}

static void write_details(const struct notice *notice, FILE *out, uint32_t n_parts)
{
    const char *label = "Details:";

    for (uint32_t i = 0; i < n_parts; i++) {
        struct pes_part part = {.size_bytes = sizeof(part)};
        char text[TEXT_BYTES] = "";

        if (pes_answer_part(notice->answer, i, &part) < 0 || !is_told(&part)) {
            continue;
        }
        if (part.n_findings_total > 0) {
            finding_text(notice, i, &part, text);
        } else {
            failure_text(&part, text);
        }
        wrap_write(out, notice->columns, label, text);
        label = "";
    }
}

/* What the first provider that could says the line comes to. */
static void write_decoded(const struct notice *notice, FILE *out, uint32_t n_parts)
{
    for (uint32_t i = 0; i < n_parts; i++) {
        struct pes_part part = {.size_bytes = sizeof(part)};
        char text[DECODED_BYTES];

        if (pes_answer_part(notice->answer, i, &part) == 0 && part.decoded[0] != '\0') {
            snprintf(text, sizeof(text), "%s", part.decoded);
            wrap_write(out, notice->columns, "Decodes to:", text);
            return;
        }
    }
}

/* Cuts `end` off the end of `text`, if that is how it ends. */
static void cut_end(char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);

    if (n_end > 0 && n > n_end && strcmp(text + n - n_end, end) == 0) {
        text[n - n_end] = '\0';
    }
}

/* The message without what gets labels of its own. */
static void write_why(const struct notice *notice, FILE *out, const struct pes_answer_info *info)
{
    char message[MESSAGE_BYTES], end[TEXT_BYTES];

    snprintf(message, sizeof(message), "%s", pes_answer_message(notice->answer));
    snprintf(end, sizeof(end), " Reference %s.", info->ref);
    cut_end(message, end);
    snprintf(end, sizeof(end), " %s", info->advice_text);
    cut_end(message, end);
    wrap_write(out, notice->columns, "Why:", message);
}

/* The start of the line, escaped, on one row. */
static void write_head(const struct notice *notice, FILE *out, bool is_stopped)
{
    const char *word = is_stopped ? "STOPPED" : "WAIT";
    char text[512];
    size_t n_room = notice->columns > LINE_CHARACTERS + 32 ? notice->columns - 32 : LINE_CHARACTERS;
    size_t n;

    n = safe_text(text, n_room < sizeof(text) ? n_room : sizeof(text), notice->line,
                  notice->n_line);
    fprintf(out, "pes: %s  %s%s  (not run)\n", word, text, n < notice->n_line ? "..." : "");
}

void notice_write(const struct notice *notice, FILE *out)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    char reference[64];

    pes_answer_info(notice->answer, &info);
    write_head(notice, out, info.action != PES_ASK);
    write_why(notice, out, &info);
    write_details(notice, out, info.n_parts);
    write_decoded(notice, out, info.n_parts);
    wrap_write(out, notice->columns, "Now:", info.advice_text);
    snprintf(reference, sizeof(reference), "PES-%u %s", info.message_id, info.ref);
    wrap_write(out, notice->columns, "Reference:", reference);
}

void notice_write_passed(const struct notice *notice, FILE *out)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};

    pes_answer_info(notice->answer, &info);
    if (info.message_id == PES_MESSAGE_ID_NOT_INSTALLED || info.mode == PES_MODE_OBSERVE) {
        return;
    }
    if (info.error != 0 || info.coverage != PES_COVERAGE_FULL) {
        fprintf(out, "pes: %s\n", pes_answer_message(notice->answer));
    }
}

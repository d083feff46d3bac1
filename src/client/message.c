/*
 * What happened, who says so or who is to blame, what next, and a reference to quote.
 *
 * The broker sends a message id and the parts; the words are made here, so that text from a
 * provider never is a sentence of ours: it is quoted, cut, and stands beside the provider's name.
 * The words of certainty are fixed: malicious, suspicious, not allowed, could not be checked. A
 * provider that failed is named together with how: "yara could not look: its worker died by
 * SIGSEGV".
 *
 * All text of an answer has been through safe_text() before it comes here.
 */
#include "client/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pes/enums.h>
#include <pes/names.h>

#include "client/advice.h"
#include "client/answer.h"
#include "wire/name_table.h"

#define MESSAGE_QUOTE_BYTES  200
#define MESSAGE_CULPRITS_MAX 3

/* Text under construction; cut at the end of `out`, between characters. */
struct text {
    char *out;
    size_t n_out;
    size_t n;
};

static void text_add_n(struct text *text, const char *more, size_t n_more)
{
    size_t n_free = text->n_out - 1 - text->n;

    if (n_more > n_free) {
        n_more = n_free;
        /* Back to the start of a character. */
        while (n_more > 0 && ((unsigned char)more[n_more] & 0xc0) == 0x80) {
            n_more--;
        }
    }
    memcpy(text->out + text->n, more, n_more);
    text->n += n_more;
    text->out[text->n] = '\0';
}

/* Every argument is a string. */
static void text_add(struct text *text, const char *first, ...)
{
    va_list args;

    va_start(args, first);
    for (const char *s = first; s; s = va_arg(args, const char *)) {
        text_add_n(text, s, strlen(s));
    }
    va_end(args);
}

static void text_add_number(struct text *text, uint64_t number)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    text_add(text, digits, NULL);
}

/* Text of a provider: quoted, and not longer than one can take in. */
static void text_add_quote(struct text *text, const char *quote)
{
    size_t n = strlen(quote);

    text_add(text, "\"", NULL);
    if (n <= MESSAGE_QUOTE_BYTES) {
        text_add_n(text, quote, n);
    } else {
        n = MESSAGE_QUOTE_BYTES;
        while (n > 0 && ((unsigned char)quote[n] & 0xc0) == 0x80) {
            n--;
        }
        text_add_n(text, quote, n);
        text_add(text, "...", NULL);
    }
    text_add(text, "\"", NULL);
}

/* What speaks for a word of certainty, if the verdict says more than the word. */
static const char *nature_of(uint32_t verdict)
{
    switch ((enum pes_verdict)verdict) {
    case PES_VERDICT_POTENTIALLY_UNWANTED:
        return "lawful, but often not wanted";
    case PES_VERDICT_EXPLOIT_ATTEMPT:
        return "it attacks the program that opens it";
    case PES_VERDICT_MALICIOUS_SOURCE:
        return "it comes from an address that is known for harm";
    case PES_VERDICT_CREDENTIAL_THEFT:
        return "it is after passwords or keys";
    case PES_VERDICT_DECEPTIVE_INSTRUCTION:
        return "it tricks a person or a model into acting";
    case PES_VERDICT_SENSITIVE_DATA:
        return "it holds data that should not leave";
    case PES_VERDICT_NONE:
    case PES_VERDICT_KNOWN_GOOD:
    case PES_VERDICT_NOT_DETECTED:
    case PES_VERDICT_UNCOMMON:
    case PES_VERDICT_SUSPICIOUS:
    case PES_VERDICT_POLICY_FORBIDDEN:
    case PES_VERDICT_MALICIOUS:
    case PES_VERDICT_TEST_SAMPLE:
    case PES_VERDICT_NO_OPINION:
        return NULL;
    }
    return NULL;
}

/* The part that decided, else the first that objects, else NULL. */
static const struct answer_part *deciding_part(const struct pes_answer *answer)
{
    if (answer->info.deciding_part > 0) {
        return &answer->parts[answer->info.deciding_part - 1];
    }
    for (uint32_t i = 0; i < answer->info.n_parts; i++) {
        if (verdict_is_finding(answer->parts[i].shown.verdict)) {
            return &answer->parts[i];
        }
    }
    return NULL;
}

/* "; 2 others object, too; 1 found nothing" */
static void add_agreement(struct text *text, const struct pes_answer *answer,
                          const struct answer_part *deciding)
{
    uint64_t n_agree = 0, n_nothing = 0;

    for (uint32_t i = 0; i < answer->info.n_parts; i++) {
        const struct pes_part *part = &answer->parts[i].shown;

        if (&answer->parts[i] == deciding) {
            continue;
        }
        n_agree += verdict_is_finding(part->verdict);
        n_nothing += part->status == PES_STATUS_OK && (part->verdict == PES_VERDICT_NOT_DETECTED ||
                                                       part->verdict == PES_VERDICT_KNOWN_GOOD);
    }
    if (n_agree > 0) {
        text_add(text, "; ", NULL);
        text_add_number(text, n_agree);
        text_add(text, n_agree == 1 ? " other objects, too" : " others object, too", NULL);
    }
    if (n_nothing > 0) {
        text_add(text, "; ", NULL);
        text_add_number(text, n_nothing);
        text_add(text, n_nothing == 1 ? " other found nothing" : " others found nothing", NULL);
    }
}

static void add_found(struct text *text, const struct pes_answer *answer, const char *word)
{
    const struct answer_part *part = deciding_part(answer);
    const char *nature = nature_of(answer->info.verdict);

    text_add(text, part ? part->shown.name : "The pes service", " says that it is ", word, NULL);
    if (part && part->shown.n_findings > 0 && part->findings[0].detection[0]) {
        text_add(text, " (", NULL);
        text_add_quote(text, part->findings[0].detection);
        text_add(text, ")", NULL);
    }
    if (nature) {
        text_add(text, ": ", nature, NULL);
    }
    add_agreement(text, answer, part);
}

static void add_crash(struct text *text, const struct pes_part *part)
{
    if (part->signal) {
        text_add(text, " could not look: its worker died by ", pes_signal_name(part->signal), NULL);
    } else if (part->exit_status >= 0) {
        text_add(text, " could not look: its worker ended by itself with status ", NULL);
        text_add_number(text, (uint64_t)part->exit_status);
    } else {
        text_add(text, " could not look: its worker died", NULL);
    }
}

/* Why a part that did not answer did not; NULL for one that answered or had not to. */
static const char *failure_of(uint32_t status)
{
    switch ((enum pes_status)status) {
    case PES_STATUS_TIMEOUT:
        return " did not answer in time";
    case PES_STATUS_CRASHED:
        return " could not look: its worker died";
    case PES_STATUS_RESOURCE_LIMIT:
        return " could not look: its worker reached its limit of ";
    case PES_STATUS_RESTARTING:
        return " could not look: it is being started again";
    case PES_STATUS_PAUSED:
        return " could not look: it is switched off for a while";
    case PES_STATUS_OVERLOADED:
        return " could not look: too much is waiting for it";
    case PES_STATUS_EXCLUDED_BY_POLICY:
        return " was not asked: the administrator excluded it";
    case PES_STATUS_EXCLUDED_BY_USER:
        return " was not asked: it was excluded";
    case PES_STATUS_NOT_READY:
        return " could not look: it is still loading";
    case PES_STATUS_STALE_DEFINITIONS:
        return " looked with definitions that are too old";
    case PES_STATUS_SELFTEST_FAILED:
        return " cannot be relied on: it misses what it must find";
    case PES_STATUS_CANCELLED:
        return " was told to stop";
    case PES_STATUS_PROTOCOL_ERROR:
        return " sent something that is not an answer";
    case PES_STATUS_LATE:
        return " answered too late";
    case PES_STATUS_NONE:
    case PES_STATUS_OK:
    case PES_STATUS_NOT_COMPETENT:
    case PES_STATUS_SKIPPED_EARLY_DECISION:
    case PES_STATUS_CACHED:
    case PES_STATUS_SHADOW:
        return NULL;
    }
    return " did not answer, in a way that this version of pes does not know";
}

/* What a part that answered did not look at; NULL if it looked at everything. */
static const char *gap_of(uint32_t coverage)
{
    switch ((enum pes_coverage)coverage) {
    case PES_COVERAGE_PARTIAL_SIZE:
        return " looked at the first part only";
    case PES_COVERAGE_PARTIAL_DEPTH:
        return " did not look at every layer";
    case PES_COVERAGE_PARTIAL_TIME:
        return " ran out of time";
    case PES_COVERAGE_ENCRYPTED:
        return " could not open it: it is encrypted";
    case PES_COVERAGE_TOO_LARGE:
        return " did not look: it is too large";
    case PES_COVERAGE_TOO_SMALL:
        return " could not judge: it is too small";
    case PES_COVERAGE_MALFORMED:
        return " could not read all of it: it is broken";
    case PES_COVERAGE_UNSUPPORTED:
        return " cannot read this form";
    case PES_COVERAGE_HASH_ONLY:
        return " looked up its digest only";
    case PES_COVERAGE_METADATA_ONLY:
        return " looked at its description only";
    case PES_COVERAGE_NONE:
    case PES_COVERAGE_NOT_EXAMINED:
        return " did not look";
    case PES_COVERAGE_PARTIAL_PROVIDERS:
    case PES_COVERAGE_FULL:
        return NULL;
    }
    return " looked at a part only";
}

/* Adds the failure of one part, if it has one. */
static bool add_culprit(struct text *text, const struct pes_part *part, const char *before)
{
    bool has_answered = part->status == PES_STATUS_OK || part->status == PES_STATUS_CACHED;
    const char *failure = has_answered ? gap_of(part->coverage) : failure_of(part->status);

    if (!failure) {
        return false;
    }
    text_add(text, before, part->name[0] ? part->name : "a provider", NULL);
    if (part->status == PES_STATUS_CRASHED) {
        add_crash(text, part);
        return true;
    }
    text_add(text, failure, NULL);
    if (part->status == PES_STATUS_RESOURCE_LIMIT) {
        text_add(text, pes_limit_name(part->limit), NULL);
    }
    return true;
}

/* "; yara could not look: its worker died by SIGSEGV; ..." */
static void add_culprits(struct text *text, const struct pes_answer *answer)
{
    uint64_t n_shown = 0, n_more = 0;

    for (uint32_t i = 0; i < answer->info.n_parts; i++) {
        if (n_shown < MESSAGE_CULPRITS_MAX) {
            n_shown += add_culprit(text, &answer->parts[i].shown, "; ");
        } else {
            char unused[ANSWER_MESSAGE_BYTES];
            struct text nowhere = {.out = unused, .n_out = sizeof(unused)};

            n_more += add_culprit(&nowhere, &answer->parts[i].shown, "");
        }
    }
    if (n_more > 0) {
        text_add(text, "; so did ", NULL);
        text_add_number(text, n_more);
        text_add(text, n_more == 1 ? " more" : " others", NULL);
    }
}

static void add_nothing_found(struct text *text, const struct pes_answer *answer)
{
    uint32_t n = 0;

    text_add(text, "Nothing was found", NULL);
    for (uint32_t i = 0; i < answer->info.n_parts; i++) {
        const struct pes_part *part = &answer->parts[i].shown;

        if (part->status == PES_STATUS_OK || part->status == PES_STATUS_CACHED) {
            text_add(text, n++ == 0 ? " by " : ", ", part->name, NULL);
        }
    }
}

/* "It could not be checked: too many connections" */
static void add_call_failed(struct text *text, const struct pes_answer_info *info)
{
    text_add(text, "It could not be checked: ", NULL);
    if (info->error == -PES_E_QUOTA && info->quota[0]) {
        text_add(text, "too many ", info->quota, NULL);
    } else {
        text_add(text, pes_error_text(info->error), NULL);
    }
}

/* The first sentence, without its full stop. */
static void add_what(struct text *text, const struct pes_answer *answer)
{
    switch ((enum pes_message_id)answer->info.message_id) {
    case PES_MESSAGE_ID_FOUND:
        add_found(text, answer, "malicious");
        break;
    case PES_MESSAGE_ID_SUSPICIOUS:
        add_found(text, answer, "suspicious");
        break;
    case PES_MESSAGE_ID_POLICY:
        if (deciding_part(answer)) {
            add_found(text, answer, "not allowed here");
        } else {
            text_add(text, "It is not allowed here: this is a rule of the administrator", NULL);
        }
        break;
    case PES_MESSAGE_ID_TEST_SAMPLE:
        add_found(text, answer, "a harmless test sample");
        break;
    case PES_MESSAGE_ID_NOTHING_FOUND:
        add_nothing_found(text, answer);
        break;
    case PES_MESSAGE_ID_PARTLY_CHECKED:
        text_add(text, "Nothing was found, but not everything could be checked", NULL);
        break;
    case PES_MESSAGE_ID_COULD_NOT_CHECK:
        if (answer->info.error) {
            add_call_failed(text, &answer->info);
        } else {
            text_add(text, "It could not be checked", NULL);
        }
        break;
    case PES_MESSAGE_ID_NO_PROVIDER:
        text_add(text, "It could not be checked: no provider takes ", pes_kind_name(answer->kind),
                 NULL);
        break;
    case PES_MESSAGE_ID_TOO_LARGE:
        text_add(text, "It could not be checked: it is larger than the limit", NULL);
        break;
    case PES_MESSAGE_ID_BROKER_DOWN:
        text_add(text, "It could not be checked: ", pes_error_text(answer->info.error), NULL);
        break;
    case PES_MESSAGE_ID_NOT_INSTALLED:
        text_add(text, "It was not checked: pes is not installed", NULL);
        break;
    case PES_MESSAGE_ID_CALL_FAILED:
        add_call_failed(text, &answer->info);
        break;
    case PES_MESSAGE_ID_NONE:
        text_add(text, "pes says ", pes_verdict_name(answer->info.verdict), NULL);
        break;
    }
    if (text->n == 0) {
        /* A message from the future. */
        text_add(text, "pes says ", pes_verdict_name(answer->info.verdict), NULL);
    }
}

/* The last sentence is the reference: it must not be cut off, so room is kept for it. */
static void add_reference(struct text *text, const struct pes_answer *answer)
{
    if (answer->info.ref[0]) {
        text_add(text, " Reference ", answer->info.ref, ".", NULL);
    }
}

void message_compose(char *out, size_t n_out, const struct pes_answer *answer,
                     const struct answer_about *about)
{
    size_t n_reference =
        answer->info.ref[0] ? strlen(" Reference .") + strlen(answer->info.ref) : 0;
    struct text text = {.out = out, .n_out = n_out - n_reference};
    bool is_let_pass =
        answer->info.action == PES_GO && answer->info.mode != 0 &&
        (answer->info.would == PES_DISPOSITION_BLOCK || answer->info.would == PES_DISPOSITION_WARN);

    out[0] = '\0';
    add_what(&text, answer);
    add_culprits(&text, answer);
    text_add(&text, ".", NULL);
    if (about && about->policy_error[0]) {
        text_add(&text, " The client policy is broken: ", about->policy_error, ".", NULL);
    } else if (about && about->place_error) {
        text_add(&text, " ", about->place_error, ".", NULL);
    } else if (is_let_pass && answer->info.mode != PES_MODE_ENFORCE) {
        text_add(&text, " It is let pass, as pes runs in mode ", pes_mode_name(answer->info.mode),
                 ".", NULL);
    } else if (answer->info.advice_text[0]) {
        text_add(&text, " ", answer->info.advice_text, NULL);
    }
    text.n_out = n_out;
    add_reference(&text, answer);
}

/*
 * What an answer means.
 *
 * Nothing is clean unless somebody said so about all of it: zero, "nobody answered" and values that
 * this program does not know are never good. An answer that could not be had (no service, no right
 * to ask) is apart from one that says "I did not look".
 */
#include "cli/outcome.h"

#include <stdio.h>

#include <pes/enums.h>
#include <pes/names.h>

#include "cli/human.h"

enum outcome outcome_of(const struct pes_answer_info *info)
{
    if (pes_verdict_is_finding(info->verdict)) {
        return OUTCOME_FOUND;
    }
    switch (info->error) {
    case 0:
        return info->verdict != PES_VERDICT_NONE && info->coverage == PES_COVERAGE_FULL
                   ? OUTCOME_CLEAN
                   : OUTCOME_UNCHECKED;
    case -PES_E_NO_PROVIDER:
    case -PES_E_TOO_LARGE:
        return OUTCOME_UNCHECKED; /* asked; nobody looked */
    case -PES_E_DEADLINE_PASSED:
        /* Without a mode it is no service that says so, but the library that had no answer. */
        return info->mode != 0 ? OUTCOME_UNCHECKED : OUTCOME_UNASKED;
    default:
        return OUTCOME_UNASKED;
    }
}

void tally_add(struct tally *tally, enum outcome outcome)
{
    tally->n_items++;
    switch (outcome) {
    case OUTCOME_CLEAN:
        break;
    case OUTCOME_FOUND:
        tally->n_found++;
        break;
    case OUTCOME_UNCHECKED:
        tally->n_unchecked++;
        break;
    case OUTCOME_UNASKED:
        tally->n_unasked++;
        break;
    case OUTCOME_UNREAD:
        tally->n_unread++;
        break;
    }
}

int tally_exit_status(const struct tally *tally)
{
    if (tally->n_found > 0) {
        return EXIT_FOUND;
    }
    if (tally->n_unasked > 0 || tally->n_unread > 0) {
        return EXIT_NOT_ASKED;
    }
    return tally->n_unchecked > 0 ? EXIT_NOT_CHECKED : EXIT_CLEAN;
}

bool status_is_missing(uint32_t status)
{
    switch ((enum pes_status)status) {
    case PES_STATUS_OK:
    case PES_STATUS_NOT_COMPETENT:
    case PES_STATUS_STALE_DEFINITIONS:
    case PES_STATUS_SKIPPED_EARLY_DECISION:
    case PES_STATUS_CACHED:
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
    case PES_STATUS_SELFTEST_FAILED:
    case PES_STATUS_CANCELLED:
    case PES_STATUS_PROTOCOL_ERROR:
    case PES_STATUS_LATE:
        return true;
    }
    return true;
}

const char *coverage_words(uint32_t coverage)
{
    switch ((enum pes_coverage)coverage) {
    case PES_COVERAGE_FULL:
        return "fully checked";
    case PES_COVERAGE_PARTIAL_SIZE:
        return "only the first bytes were checked";
    case PES_COVERAGE_PARTIAL_DEPTH:
        return "not every layer was checked";
    case PES_COVERAGE_PARTIAL_TIME:
        return "time ran out";
    case PES_COVERAGE_ENCRYPTED:
        return "encrypted";
    case PES_COVERAGE_TOO_LARGE:
        return "too large to be checked";
    case PES_COVERAGE_TOO_SMALL:
        return "too small to judge";
    case PES_COVERAGE_MALFORMED:
        return "broken, so not understood";
    case PES_COVERAGE_UNSUPPORTED:
        return "of a form that cannot be read";
    case PES_COVERAGE_HASH_ONLY:
        return "only its digest was looked up";
    case PES_COVERAGE_METADATA_ONLY:
        return "only its description was looked at";
    case PES_COVERAGE_NONE:
    case PES_COVERAGE_NOT_EXAMINED:
        return "nobody looked";
    case PES_COVERAGE_PARTIAL_PROVIDERS:
        return "not every provider answered";
    }
    return "checked in a way that this program does not know";
}

const char *part_words(char ret_text[static OUTCOME_TEXT_BYTES], const struct pes_part *part)
{
    char words[HUMAN_BYTES];

    snprintf(ret_text, OUTCOME_TEXT_BYTES, "no answer");
    switch ((enum pes_status)part->status) {
    case PES_STATUS_TIMEOUT:
        snprintf(ret_text, OUTCOME_TEXT_BYTES, "no answer in time");
        break;
    case PES_STATUS_CRASHED:
        if (part->signal != 0) {
            snprintf(ret_text, OUTCOME_TEXT_BYTES, "crashed (%s)", pes_signal_name(part->signal));
        } else if (part->exit_status >= 0) {
            snprintf(ret_text, OUTCOME_TEXT_BYTES, "ended by itself (exit %d)", part->exit_status);
        } else {
            snprintf(ret_text, OUTCOME_TEXT_BYTES, "crashed");
        }
        break;
    case PES_STATUS_RESOURCE_LIMIT:
        snprintf(ret_text, OUTCOME_TEXT_BYTES, "hit its limit (%s)",
                 human_words(words, pes_limit_name(part->limit)));
        break;
    case PES_STATUS_NONE:
    case PES_STATUS_OK:
    case PES_STATUS_RESTARTING:
    case PES_STATUS_PAUSED:
    case PES_STATUS_OVERLOADED:
    case PES_STATUS_NOT_COMPETENT:
    case PES_STATUS_EXCLUDED_BY_POLICY:
    case PES_STATUS_EXCLUDED_BY_USER:
    case PES_STATUS_NOT_READY:
    case PES_STATUS_STALE_DEFINITIONS:
    case PES_STATUS_SELFTEST_FAILED:
    case PES_STATUS_SKIPPED_EARLY_DECISION:
    case PES_STATUS_CACHED:
    case PES_STATUS_CANCELLED:
    case PES_STATUS_PROTOCOL_ERROR:
    case PES_STATUS_LATE:
    case PES_STATUS_SHADOW:
        snprintf(ret_text, OUTCOME_TEXT_BYTES, "%s",
                 human_words(words, pes_status_name(part->status)));
        break;
    }
    return ret_text;
}

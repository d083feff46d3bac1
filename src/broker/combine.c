/*
 * Many parts, one verdict and one coverage.
 *
 * The worst finding wins (any-malicious). Without one, the verdict is only as good as the coverage:
 * a missing part, of a provider that is competent and not advisory, makes it partial, and no part
 * at all leaves verdict none. An error never turns into a verdict here.
 *
 * A part may have looked at less than the bytes by its nature (a hash list, an engine that does not
 * read the format). That does not spoil the full look of another; but alone it stays what it is.
 */
#include "broker/combine.h"

#include "wire/name_table.h"
#include "wire/verdict_rank.h"

static bool is_answered(const struct combine_part *part)
{
    return part->status == PES_STATUS_OK || part->status == PES_STATUS_CACHED;
}

/* Less than the bytes, by the nature of the provider. */
static bool is_limited_by_nature(uint32_t coverage)
{
    return coverage == PES_COVERAGE_HASH_ONLY || coverage == PES_COVERAGE_METADATA_ONLY ||
           coverage == PES_COVERAGE_UNSUPPORTED || coverage == PES_COVERAGE_TOO_SMALL;
}

static bool has_looked(uint32_t coverage)
{
    return coverage != PES_COVERAGE_NONE && coverage != PES_COVERAGE_NOT_EXAMINED;
}

static uint32_t combine_coverage(const struct combine_part *parts, size_t n_parts)
{
    uint32_t partial = PES_COVERAGE_NONE, limited = PES_COVERAGE_NONE;
    size_t n_full = 0, n_missing = 0;

    for (size_t i = 0; i < n_parts; i++) {
        uint32_t coverage = parts[i].coverage;

        if (parts[i].status == PES_STATUS_NOT_COMPETENT) {
            continue; /* not its kind, as turned out: nobody is missing */
        }
        if (!is_answered(&parts[i]) || !has_looked(coverage)) {
            /* Nothing depends on an advisory provider, its silence included. */
            n_missing += !parts[i].is_advisory;
        } else if (parts[i].verdict == PES_VERDICT_NO_OPINION) {
            continue;
        } else if (coverage == PES_COVERAGE_FULL) {
            n_full++;
        } else if (is_limited_by_nature(coverage)) {
            limited = coverage;
        } else {
            partial = coverage;
        }
    }
    if (n_full == 0 && partial == PES_COVERAGE_NONE && limited == PES_COVERAGE_NONE) {
        return PES_COVERAGE_NOT_EXAMINED;
    }
    if (n_missing > 0) {
        return PES_COVERAGE_PARTIAL_PROVIDERS;
    }
    if (partial != PES_COVERAGE_NONE) {
        return partial;
    }
    return n_full > 0 ? PES_COVERAGE_FULL : limited;
}

void combine_parts(const struct combine_part *parts, size_t n_parts,
                   struct combine_result *ret_result)
{
    struct combine_result result = {.verdict = PES_VERDICT_NONE};
    unsigned best = 0;
    bool is_known_good = false;

    for (size_t i = 0; i < n_parts; i++) {
        unsigned rank = verdict_rank(parts[i].verdict);

        if (!is_answered(&parts[i])) {
            continue;
        }
        is_known_good = is_known_good || parts[i].verdict == PES_VERDICT_KNOWN_GOOD;
        if (rank > best) {
            best = rank;
            result.verdict = parts[i].verdict;
            result.deciding = i + 1;
        }
    }
    result.coverage = combine_coverage(parts, n_parts);
    if (result.verdict == PES_VERDICT_NOT_DETECTED && is_known_good) {
        result.verdict = PES_VERDICT_KNOWN_GOOD;
    }
    if (result.verdict == PES_VERDICT_KNOWN_GOOD && result.coverage != PES_COVERAGE_FULL) {
        result.verdict = PES_VERDICT_NOT_DETECTED;
    }
    if (!verdict_is_finding(result.verdict)) {
        result.deciding = 0;
        if (result.coverage == PES_COVERAGE_NOT_EXAMINED &&
            result.verdict != PES_VERDICT_NO_OPINION) {
            result.verdict =
                PES_VERDICT_NONE; /* whoever saw nothing of it cannot have found nothing in it */
        }
    }
    *ret_result = result;
}

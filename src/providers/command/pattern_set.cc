/*
 * pattern_set: the shim between C and RE2.
 *
 * RE2 reads each byte a bounded number of times whatever the expression, which is why it is the one
 * that gets to see hostile text. It reports by return value, but its containers may throw when
 * memory is short: every function here catches everything, and nothing else in the module is C++.
 *
 * All expressions as one RE2::Set were tried: in text that is full of their beginnings, the states
 * of one automaton are all combinations of what may follow, and building them took 5 s for 100 KB.
 * So the set is made of the literal pieces that expressions cannot do without (FilteredRE2 knows
 * them): its states are few. Only expressions whose pieces are all there are looked for, each by
 * itself.
 *
 * RE2::Set::Match() returns false both for "nothing found" and for "out of memory"; which it was is
 * told by ErrorInfo, and passed on.
 *
 * Expressions and text are bytes (Latin-1 to RE2), so that text need not be valid UTF-8. Text must
 * be in lower case: that is what the pieces are in.
 */
#include "providers/command/pattern_set.h"

#include <cstring>
#include <memory>
#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <re2/set.h>
#include <string>
#include <vector>

namespace
{
constexpr int piece_bytes_min = 3;

RE2::Options options(size_t n_bytes_max)
{
    RE2::Options options;

    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_max_mem(static_cast<int64_t>(n_bytes_max));
    return options;
}
} // namespace

struct pattern_set {
    RE2::Set pieces;
    re2::FilteredRE2 expressions;
    bool has_pieces = false;
    mutable uint64_t n_bytes_read = 0;

    explicit pattern_set(size_t n_bytes_max)
        : pieces(options(n_bytes_max), RE2::UNANCHORED), expressions(piece_bytes_min)
    {
    }
};

extern "C" {

struct pattern_set *pattern_set_new(size_t n_bytes_max)
{
    try {
        return new pattern_set(n_bytes_max);
    } catch (...) {
        return nullptr;
    }
}

void pattern_set_free(struct pattern_set *set)
{
    delete set;
}

int pattern_set_add(struct pattern_set *set, const char *expression, size_t n,
                    char ret_error[PATTERN_ERROR_MAX])
{
    ret_error[0] = '\0';
    try {
        re2::StringPiece piece(expression, n);
        RE2 probe(piece, options(PATTERN_BYTES));
        int index = -1;

        if (!probe.ok() ||
            set->expressions.Add(piece, options(PATTERN_BYTES), &index) != RE2::NoError) {
            strncpy(ret_error, probe.error().c_str(), PATTERN_ERROR_MAX - 1);
            ret_error[PATTERN_ERROR_MAX - 1] = '\0';
            return -1;
        }
        return index;
    } catch (...) {
        strncpy(ret_error, "out of memory", PATTERN_ERROR_MAX - 1);
        return -1;
    }
}

int pattern_set_compile(struct pattern_set *set)
{
    try {
        std::vector<std::string> pieces;

        if (set->expressions.NumRegexps() == 0) {
            return 0;
        }
        set->expressions.Compile(&pieces);
        for (const std::string &piece : pieces) {
            if (set->pieces.Add(RE2::QuoteMeta(piece), nullptr) < 0) {
                return -1;
            }
        }
        set->has_pieces = !pieces.empty();
        return set->pieces.Compile() ? 0 : -1;
    } catch (...) {
        return -1;
    }
}

int pattern_set_candidates(const struct pattern_set *set, const uint8_t *bytes, size_t n,
                           uint8_t *hits)
{
    try {
        std::vector<int> found;
        std::vector<int> candidates;
        RE2::Set::ErrorInfo info{};
        re2::StringPiece text(reinterpret_cast<const char *>(bytes), n);

        if (set->expressions.NumRegexps() == 0) {
            return 0;
        }
        set->n_bytes_read += n;
        if (set->has_pieces && !set->pieces.Match(text, &found, &info) &&
            info.kind != RE2::Set::kNoError) {
            return PATTERN_SET_E_MEMORY;
        }
        set->expressions.AllPotentials(found, &candidates);
        for (int index : candidates) {
            hits[index] = 1;
        }
        return 0;
    } catch (...) {
        return PATTERN_SET_E_MEMORY;
    }
}

int pattern_set_where(const struct pattern_set *set, size_t index, const uint8_t *bytes, size_t n,
                      size_t *ret_from, size_t *ret_to)
{
    try {
        re2::StringPiece piece(reinterpret_cast<const char *>(bytes), n);
        re2::StringPiece match;

        if (index >= static_cast<size_t>(set->expressions.NumRegexps())) {
            return 0;
        }
        set->n_bytes_read += n;
        if (!set->expressions.GetRE2(static_cast<int>(index))
                 .Match(piece, 0, n, RE2::UNANCHORED, &match, 1)) {
            return 0;
        }
        *ret_from = static_cast<size_t>(match.data() - piece.data());
        *ret_to = *ret_from + match.size();
        return 1;
    } catch (...) {
        return -1;
    }
}

uint64_t pattern_set_bytes_read(const struct pattern_set *set)
{
    return set->n_bytes_read;
}
}

/*
 * pattern_set: the shim between C and RE2::Set.
 *
 * RE2 reads each byte a bounded number of times whatever the expression, which is why it is the one
 * that gets to see hostile text. It reports by return value, but its containers may throw when
 * memory is short: every function here catches everything, and nothing else in the module is C++.
 *
 * RE2::Set::Match() returns false both for "nothing found" and for "out of memory"; which it was is
 * told by ErrorInfo, and passed on.
 *
 * Expressions and text are bytes (Latin-1 to RE2), so that text need not be valid UTF-8.
 */
#include "providers/command/pattern_set.h"

#include <cstring>
#include <memory>
#include <re2/re2.h>
#include <re2/set.h>
#include <string>
#include <vector>

namespace
{
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
    RE2::Set set;
    std::vector<std::unique_ptr<RE2>> single;

    explicit pattern_set(size_t n_bytes_max) : set(options(n_bytes_max), RE2::UNANCHORED)
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
        std::string error;
        re2::StringPiece piece(expression, n);
        int index;

        auto single = std::make_unique<RE2>(piece, options(PATTERN_SET_BYTES));
        index = set->set.Add(piece, &error);
        if (index < 0 || !single->ok()) {
            strncpy(ret_error, error.empty() ? single->error().c_str() : error.c_str(),
                    PATTERN_ERROR_MAX - 1);
            ret_error[PATTERN_ERROR_MAX - 1] = '\0';
            return -1;
        }
        set->single.push_back(std::move(single));
        return index;
    } catch (...) {
        strncpy(ret_error, "out of memory", PATTERN_ERROR_MAX - 1);
        return -1;
    }
}

int pattern_set_compile(struct pattern_set *set)
{
    try {
        return set->set.Compile() ? 0 : -1;
    } catch (...) {
        return -1;
    }
}

int pattern_set_match(const struct pattern_set *set, const uint8_t *bytes, size_t n, uint8_t *hits)
{
    try {
        std::vector<int> found;
        RE2::Set::ErrorInfo info{};
        re2::StringPiece piece(reinterpret_cast<const char *>(bytes), n);

        if (set->single.empty()) {
            return 0;
        }
        if (!set->set.Match(piece, &found, &info)) {
            return info.kind == RE2::Set::kNoError ? 0 : PATTERN_SET_E_MEMORY;
        }
        for (int index : found) {
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

        if (index >= set->single.size() ||
            !set->single[index]->Match(piece, 0, n, RE2::UNANCHORED, &match, 1)) {
            return 0;
        }
        *ret_from = static_cast<size_t>(match.data() - piece.data());
        *ret_to = *ret_from + match.size();
        return 1;
    } catch (...) {
        return 0;
    }
}
}

/* Many regular expressions, looked for at once. The engine is RE2; no exception comes out of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pattern_set;

/* Results besides 0 and -1. */
enum {
    PATTERN_SET_E_MEMORY = 1, /* the engine ran out of its memory: nothing is known */
};

#define PATTERN_ERROR_MAX 160

/* Enough for the literal pieces of some hundred expressions, and for one expression; what the
 * engine keeps beyond them is a cache. */
#define PATTERN_SET_BYTES (16u << 20)
#define PATTERN_BYTES     (256u << 10)

/* Makes an empty set that may take about `n_bytes_max` of memory for the pieces, or returns
 * NULL. */
struct pattern_set *pattern_set_new(size_t n_bytes_max);
void pattern_set_free(struct pattern_set *set);

/* Adds an expression of `n` bytes; returns its index, or -1 with the reason in `ret_error`. */
int pattern_set_add(struct pattern_set *set, const char *expression, size_t n,
                    char ret_error[PATTERN_ERROR_MAX]);

/* After the last one was added. Returns 0, or -1 when they are too many or too large. */
int pattern_set_compile(struct pattern_set *set);

/* Sets hits[i] to 1 for each expression that may be in the bytes, which are in lower case: all that
 * are, and few more. `hits` has room for all. Returns 0 or PATTERN_SET_E_MEMORY. */
int pattern_set_candidates(const struct pattern_set *set, const uint8_t *bytes, size_t n,
                           uint8_t *hits);

/* Where an expression is first found: 1 with the place, 0 when it is not, -1 without memory. */
int pattern_set_where(const struct pattern_set *set, size_t index, const uint8_t *bytes, size_t n,
                      size_t *ret_from, size_t *ret_to);

/* How many bytes expressions have been looked for in so far, each expression by itself: what the
 * work is, for tests. */
uint64_t pattern_set_bytes_read(const struct pattern_set *set);

#ifdef __cplusplus
}
#endif

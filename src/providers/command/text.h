/* Text that remembers which bytes of the content each of its bytes came from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A range of the content: bytes start to end - 1. */
struct span {
    uint32_t start;
    uint32_t end;
};

struct text {
    uint8_t *bytes;
    struct span *spans; /* of each byte */
    size_t n;
    size_t n_room;
    size_t n_max;
    bool is_cut; /* it would have become longer than n_max, or memory was short */
};

#define TEXT_INIT(most)                                                                            \
    (struct text)                                                                                  \
    {                                                                                              \
        .bytes = NULL, .spans = NULL, .n_max = (most)                                              \
    }

void text_fini(struct text *text);

void text_put(struct text *text, uint8_t byte, struct span span);
/* Bytes that all stand for the same range. */
void text_put_bytes(struct text *text, const void *bytes, size_t n, struct span span);
/* Bytes `from` to `to` - 1 of another text, with their ranges. */
void text_put_part(struct text *text, const struct text *other, size_t from, size_t to);

/* The smallest range that holds what bytes `from` to `to` - 1 came from; empty when there are none.
 */
struct span text_span(const struct text *text, size_t from, size_t to);

bool text_equal(const struct text *a, const struct text *b);

/* The byte at `at`, or 0 beyond the end. */
static inline uint8_t text_at(const struct text *text, size_t at)
{
    return at < text->n ? text->bytes[at] : 0;
}

/* Whether `word`, in lower case, stands at `at`, in any case. */
bool text_has(const struct text *text, size_t at, const char *word);

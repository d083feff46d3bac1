/*
 * contents: what a provider is asked about besides the clean contents.
 *
 * Damaged copies of those lead an engine's parsers astray further than plain noise would.
 *
 * Everything is computed from fixed numbers, so that a failure can be repeated.
 */
#include "provider-check/contents.h"

#include <string.h>

/* xorshift64*; a state of 0 would stay there. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

void content_noise(uint8_t *bytes, size_t n_bytes, uint64_t seed)
{
    uint64_t state = seed * 2654435761u + 1;

    for (size_t i = 0; i < n_bytes; i++) {
        bytes[i] = (uint8_t)(next(&state) >> 56);
    }
}

/* Copies a part of the bytes over another place, or behind the end. */
static size_t move_part(uint8_t *bytes, size_t n, uint64_t random)
{
    size_t from = random % n;
    size_t to = (random >> 16) % (n + 1);
    size_t length = (random >> 32) % 256;

    if (length > n - from) {
        length = n - from;
    }
    if (length > MUTATION_BYTES_MAX - to) {
        length = MUTATION_BYTES_MAX - to;
    }
    memmove(bytes + to, bytes + from, length);
    return to + length > n ? to + length : n;
}

/* Puts a long run of one byte in place of the end. */
static size_t blow_up(uint8_t *bytes, size_t n, uint64_t random)
{
    size_t length = (random >> 16) % (MUTATION_BYTES_MAX - n + 1);

    memset(bytes + n, (int)(random & 0xff), length);
    return n + length;
}

static size_t step(uint8_t *bytes, size_t n, uint64_t random)
{
    size_t at = n > 0 ? (random >> 8) % n : 0;

    if (n == 0) {
        bytes[0] = (uint8_t)(random >> 8);
        return 1;
    }
    switch (random % 6) {
    case 0:
    case 1:
        bytes[at] ^= (uint8_t)(1u << (random >> 40) % 8);
        return n;
    case 2:
        bytes[at] = (uint8_t)(random >> 40);
        return n;
    case 3:
        return at;
    case 4:
        return move_part(bytes, n, random >> 8);
    }
    return blow_up(bytes, n, random >> 8);
}

size_t content_mutate(uint64_t index, uint8_t ret_bytes[MUTATION_BYTES_MAX])
{
    uint64_t state = index * 11400714819323198485u + 1;
    const struct clean_content *content = &clean_contents[index % n_clean_contents];
    size_t n_steps = 1 + next(&state) % 12;
    size_t n = content->n_bytes;

    memcpy(ret_bytes, content->bytes, n);
    for (size_t i = 0; i < n_steps; i++) {
        n = step(ret_bytes, n, next(&state));
    }
    return n;
}

/* Repeatable random numbers for tests (splitmix64): the same on every machine. */
#pragma once

#include <stdint.h>

static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *seed, uint64_t limit)
{
    return random_next(seed) % limit;
}

/* 0 <= x < 1 */
static inline double random_unit(uint64_t *seed)
{
    return (double)(random_next(seed) >> 11) / 9007199254740992.0;
}

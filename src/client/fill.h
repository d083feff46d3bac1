/* Public structures that can grow: as much of one as the caller's version has. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Copies `from` but for its size_bytes, which the caller has set. */
static inline void fill(void *ret, const void *from, size_t n_from)
{
    uint32_t n;

    memcpy(&n, ret, sizeof(n));
    if (n > n_from) {
        n = (uint32_t)n_from;
    }
    if (n > sizeof(n)) {
        memcpy((char *)ret + sizeof(n), (const char *)from + sizeof(n), n - sizeof(n));
    }
}

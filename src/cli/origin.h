/* Where a file came from, as its extended attributes tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ORIGIN_URL_BYTES 4096

/* Terminated, but zero bytes within are part of it. */
struct origin {
    char url[ORIGIN_URL_BYTES + 1];
    size_t n_url; /* 0: not known */
    char referrer[ORIGIN_URL_BYTES + 1];
    size_t n_referrer; /* likewise */
};

void origin_read(struct origin *ret_origin, int fd);

/* Whether an address leads to the web. NULL does not. */
bool origin_is_web(const char *url);

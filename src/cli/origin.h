/* Where a file came from, as its extended attributes tell. */
#pragma once

#include <stdbool.h>

#define ORIGIN_URL_BYTES 4096

struct origin {
    char url[ORIGIN_URL_BYTES + 1];      /* "" when it is not known */
    char referrer[ORIGIN_URL_BYTES + 1]; /* likewise */
};

void origin_read(struct origin *ret_origin, int fd);

/* Whether an address leads to the web. */
bool origin_is_web(const char *url);

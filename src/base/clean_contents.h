/* Everyday contents of many forms in which no provider should find anything. */
#pragma once

#include <stddef.h>

struct clean_content {
    const char *name;
    const void *bytes;
    size_t n_bytes;
};

extern const struct clean_content clean_contents[];
extern const size_t n_clean_contents;

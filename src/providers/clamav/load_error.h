/* Why a database could not be loaded, in libclamav's words and ours. */
#pragma once

#include <stddef.h>

struct load_error {
    char text[480]; /* file, line, what is wrong, what to do */
};

#define LOAD_ERROR_INIT                                                                            \
    {                                                                                              \
        .text = ""                                                                                 \
    }

/* Keeps the first text. Always returns -1, for `return load_error_set(...)`. */
int load_error_set(struct load_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Why rules could not be loaded: the first reason in full, and how many there were. */
#pragma once

#include <stddef.h>

struct rule_error {
    char text[480]; /* file, line, what is wrong, what to do */
    size_t n_errors;
};

#define RULE_ERROR_INIT                                                                            \
    {                                                                                              \
        .text = "", .n_errors = 0                                                                  \
    }

/* Keeps the first text and counts. Always returns -1, for `return rule_error_add(...)`. */
int rule_error_add(struct rule_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Rules, compiled and ready to be scanned with. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <yara.h>

#include "providers/yara/rule_error.h"

struct rule_set {
    YR_RULES **parts; /* all source files together, and each compiled file */
    size_t n_parts;
    size_t n_rules;
    size_t n_files;
    size_t n_warnings;
    char digest[13]; /* of names and contents, start of a SHA-256 in hexadecimal */
};

#define RULE_SET_INIT                                                                              \
    {                                                                                              \
        .parts = NULL, .n_parts = 0                                                                \
    }

/* Loads everything below `paths` (rule_files.h) or nothing. yr_initialize() must have been called.
 * Returns 0, or -1 with `error` filled in. */
int rule_set_load(struct rule_set *set, const char *paths, struct rule_error *error);
void rule_set_fini(struct rule_set *set);

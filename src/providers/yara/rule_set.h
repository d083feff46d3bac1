/* Rules, compiled and ready to be scanned with. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <yara.h>

#include "providers/yara/rule_files.h"

/* All source files together, or one compiled file. */
struct rule_part {
    YR_RULES *rules;
    const struct rule_file *file; /* the compiled one; NULL: the namespace is the file's name */
};

struct rule_set {
    struct rule_part *parts;
    size_t n_parts;
    struct rule_files files;
    size_t n_rules;
    size_t n_warnings;
    char digest[13]; /* of names and contents, start of a SHA-256 in hexadecimal */
};

#define RULE_SET_INIT                                                                              \
    {                                                                                              \
        .parts = NULL, .n_parts = 0, .files = RULE_FILES_INIT                                      \
    }

/* Loads everything below `paths` (rule_files.h) or nothing. yr_initialize() must have been called.
 * Returns 0, or -1 with `error` filled in. */
int rule_set_load(struct rule_set *set, const char *paths, struct rule_error *error);
void rule_set_fini(struct rule_set *set);

/* Path of the file that a rule of this part came from. */
const char *rule_set_path(const struct rule_set *set, const struct rule_part *part,
                          const YR_RULE *rule);

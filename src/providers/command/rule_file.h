/* One file of rules, read into a set. */
#pragma once

#include "providers/command/rule_set.h"

/* First pass, over all files: names of patterns, expressions, known addresses. Second pass: rules,
 * which may use them whatever the order of files. Each returns 0, or -1 with `error` filled in. */
int rule_file_read_patterns(struct rule_set *set, const char *name, const char *text, size_t n,
                            struct rule_error *error);
int rule_file_read_rules(struct rule_set *set, const char *name, const char *text, size_t n,
                         struct rule_error *error);

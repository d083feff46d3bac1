/* Compiled rules without what compiling them left behind. */
#pragma once

#include <stddef.h>
#include <yara.h>

struct settled_rules {
    char *bytes;
    size_t n_bytes;
};

#define SETTLED_RULES_INIT                                                                         \
    {                                                                                              \
        .bytes = NULL                                                                              \
    }

/* Keeps the rules as bytes; whoever made them may then destroy them and the compiler. Returns a
 * number of libyara's. */
int rules_settle(struct settled_rules *settled, YR_RULES *rules);

/* Makes rules of the bytes again. Returns a number of libyara's. */
int settled_rules_load(const struct settled_rules *settled, YR_RULES **ret_rules);

void settled_rules_fini(struct settled_rules *settled);

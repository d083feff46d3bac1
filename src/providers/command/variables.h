/* What variables of a script hold, as far as the script itself says it. */
#pragma once

#include "providers/command/text.h"

#define VARIABLES_MAX      64
#define VARIABLE_NAME_MAX  48
#define VARIABLE_VALUE_MAX 16384

struct variable {
    char name[VARIABLE_NAME_MAX]; /* lower case */
    size_t n_name;
    struct text value;
};

struct variables {
    struct variable entries[VARIABLES_MAX];
    size_t n;
    bool is_full; /* one was not kept */
};

#define VARIABLES_INIT                                                                             \
    {                                                                                              \
        .n = 0                                                                                     \
    }

void variables_fini(struct variables *variables);

/* Keeps a copy of `value` under the name of `n_name` bytes, in any case. */
void variables_set(struct variables *variables, const uint8_t *name, size_t n_name,
                   const struct text *value);

/* The value under that name, or NULL. Some of the environment of Windows is known from the
 * start. */
const struct text *variables_get(const struct variables *variables, const uint8_t *name,
                                 size_t n_name);
/* Puts the value of a variable of the system, with the range `span`. `is_environment`: the name is
 * meant as %name%, not as $name or $env:name. */
bool variables_put_system(const uint8_t *name, size_t n_name, bool is_environment, struct span span,
                          struct text *ret_text);

/* A string expression of a script, from its text to its value. */
#pragma once

#include "providers/command/literal_ops.h"
#include "providers/command/variables.h"

#define EXPRESSION_VALUE_MAX VARIABLE_VALUE_MAX

struct expression {
    const struct text *text;
    const struct variables *variables;
    size_t work_left; /* bytes that may still be read; 0: give up */
    unsigned depth;
    size_t n_joined;    /* pieces that were put together so far */
    size_t n_variables; /* variables whose value was used */
};

/*
 * Reads the expression that begins at `at` and puts its value. Returns where it ends, or 0 when
 * there is none; then `value` may hold anything.
 */
size_t expression_read(struct expression *expression, size_t at, struct text *value);

/* A text in quotes at `at`: where it ends, 0 when it does not. */
size_t expression_quoted(struct expression *expression, size_t at, struct text *value);

/* A whole number, also 0x..., also negative: where it ends, 0 when there is none. */
size_t expression_number(const struct text *text, size_t at, int64_t *ret_value);

size_t expression_blanks(const struct text *text, size_t at);

/* Bytes of the name of a variable at `at`. */
size_t expression_name(const struct text *text, size_t at);

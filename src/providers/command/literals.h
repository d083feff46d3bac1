/* Texts that are put together from pieces, put together. */
#pragma once

#include "providers/command/text.h"
#include "providers/command/variables.h"

/* What joining came across. */
struct literals_seen {
    size_t n_joined;    /* pieces that were put together */
    size_t n_variables; /* uses of a variable whose value is known */
    bool is_incomplete; /* a limit was hit */
};

/*
 * Copies `text` with string expressions worked out: 'a'+'b', [char]97, chr(97), "{1}{0}" -f, -join,
 * -replace, .replace(), [-1..-9], [0,2], %x:~1,2%; and with variables that the text itself sets.
 * An expression of several pieces comes out as one text in single quotes.
 */
void literals_join(const struct text *text, struct text *ret_text, struct literals_seen *seen);

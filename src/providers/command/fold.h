/* One way of writing for characters that look or work alike. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "providers/command/text.h"

/* What folding came across. */
struct fold_seen {
    size_t n_invisible;  /* characters that take no room, taken away */
    size_t n_lookalikes; /* foreign letters among Latin ones, replaced */
};

/* Reads the tables of ICU; once, before fold(). Returns 0, or -1 when ICU has none. */
int fold_init(void);

/*
 * Puts `raw` into `ret_text` as UTF-8 in which look-alikes of ASCII characters are ASCII: wide and
 * compatibility forms, foreign letters, dashes, quotes, spaces. Characters that take no room and
 * carriage returns are taken away; UTF-16 is converted. Bytes that are no UTF-8 stay as they are.
 */
void fold(const struct text *raw, struct text *ret_text, struct fold_seen *seen);

/* Whether the first bytes look like UTF-16: the step from one character to the next is then 2
 * bytes, the low one at `ret_low`. */
bool fold_is_utf16(const uint8_t *bytes, size_t n, size_t *ret_low);

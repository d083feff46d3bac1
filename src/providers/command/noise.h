/* Characters that a shell takes away before it runs a line. */
#pragma once

#include "providers/command/text.h"

/*
 * Copies `text` without carets, backticks, quotes and backslashes inside words, with line
 * continuations joined, ${IFS} as a space and {a,b} as words. Returns how many of them stood inside
 * a word, where only somebody who hides it has a use for them.
 */
size_t noise_strip(const struct text *text, struct text *ret_text);

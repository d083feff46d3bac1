/* Text in columns: "  Label:    words and words" with the words wrapped below each other. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define WRAP_INDENT 14 /* column of the words */

/*
 * Writes `text` (terminated, safe to show) to `out`, wrapped at `columns`, behind `label` on its
 * first line ("" repeats the indentation). Line breaks in `text` are kept. Empty text writes
 * nothing.
 */
void wrap_write(FILE *out, unsigned columns, const char *label, const char *text);

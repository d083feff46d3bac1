/* Text from outside, made harmless to show on a terminal, in a log or in a table. */
#pragma once

#include <stddef.h>

/* An escape is at most four times as long as what it stands for. */
#define SAFE_TEXT_BYTES(n_text) (4 * (n_text) + 1)

/*
 * Copies UTF-8 `text` to `out`, which gets at most `n_out` bytes and always ends with NUL (if
 * `n_out` is not 0). Control characters, invalid bytes and whatever is invisible or turns the
 * direction of writing become \xNN (a byte) or \u{NNNN} (a character); a backslash becomes two, so
 * that an escape cannot be faked. When it does not fit it is cut before the first whole character
 * or escape that doesn't; SAFE_TEXT_BYTES() of room is always enough. Returns the length without
 * the NUL.
 */
size_t safe_text(char *out, size_t n_out, const void *text, size_t n_text);

/* The same for text that will stand in single quotes: those become \x27. */
size_t safe_text_quoted(char *out, size_t n_out, const void *text, size_t n_text);

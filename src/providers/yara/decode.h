/* What encoded text in a command line or script says. Pure: no allocation, no state. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum decode_form {
    DECODE_NOTHING = 0,
    DECODE_BASE64 = 1, /* standard or URL alphabet, padding optional; UTF-16LE inside is narrowed */
    DECODE_HEX = 2,    /* digits in pairs, also with \x before each pair */
};

#define DECODE_FORMS     3 /* with that of nothing */
#define DECODE_BYTES_MAX 1024u

/*
 * Decodes the runs of `form` in `bytes` that are at least 16 characters long and come to readable
 * text: no control characters other than tab and line ends. Of those that begin before the end of
 * what matched, or shortly after it, the last eight, in their order, each on lines of its own and
 * with an equal share of the room; a longer text is cut, and "..." stands before if there are more.
 * Writes at most `n_ret` bytes, not terminated.
 *
 * Returns the number of bytes written, 0 when there is no such run.
 */
size_t decode_near(enum decode_form form, const uint8_t *bytes, size_t n_bytes, size_t match_end,
                   uint8_t *ret, size_t n_ret);

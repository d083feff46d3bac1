/* What encoded text in a command line or script says. Pure: no allocation, no state. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum decode_form {
    DECODE_NOTHING = 0,
    DECODE_BASE64 = 1, /* standard or URL alphabet, padding optional; UTF-16LE inside is narrowed */
    DECODE_HEX = 2,    /* digits in pairs, also with \x before each pair */
};

#define DECODE_BYTES_MAX 1024u

/*
 * Decodes the longest run of `form` in `bytes` that is at least 16 characters long and comes to
 * readable text: no control characters other than tab and line ends. Runs of equal length: the
 * first. Writes at most `n_ret` bytes, not terminated; a longer text is cut.
 *
 * Returns the number of bytes written, 0 when there is no such run.
 */
size_t decode_longest(enum decode_form form, const uint8_t *bytes, size_t n_bytes, uint8_t *ret,
                      size_t n_ret);

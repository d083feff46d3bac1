/*
 * References to answers.
 *
 * Read aloud and typed again, hence Crockford's base 32, which leaves out the letters that are
 * taken for others. The longest, 13 digits and two hyphens, just fits the field that the protocol
 * gives it, with its NUL.
 */
#include "base/reference.h"

#include <stddef.h>

#define DIGITS_MIN 6
#define DIGITS_MAX 13 /* 64 bits, five each */

void reference_format(uint64_t value, char ret_text[REFERENCE_BYTES])
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char digits[DIGITS_MAX];
    size_t n_digits = 0;
    size_t at = 0;

    while (n_digits < DIGITS_MIN || value > 0) {
        digits[n_digits++] = alphabet[value & 31];
        value >>= 5;
    }
    for (size_t i = 0; i < n_digits; i++) {
        if (i == 4 || i == 8) {
            ret_text[at++] = '-';
        }
        ret_text[at++] = digits[n_digits - 1 - i];
    }
    ret_text[at] = '\0';
}

/*
 * UTF-8 decoding after RFC 3629, table 3-7 of the Unicode standard.
 *
 * Strict, because two readers that differ about a byte sequence are how names get past checks.
 * Whatever is not exactly one well-formed character is "none", and it is the caller's choice what
 * becomes of the byte.
 */
#include "base/utf8.h"

size_t utf8_decode(const void *text, size_t n_text, uint32_t *ret_code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = text;
    uint32_t code;
    size_t n;

    if (n_text == 0) {
        return 0;
    }
    if (bytes[0] < 0x80) {
        *ret_code = bytes[0];
        return 1;
    }
    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf) {
        n = 2;
    } else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
        n = 3;
    } else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
        n = 4;
    } else {
        return 0;
    }
    if (n_text < n) {
        return 0;
    }
    code = bytes[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *ret_code = code;
    return n;
}

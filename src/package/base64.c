/*
 * Base64 as minisign writes it.
 *
 * Strict: unused bits must be zero and padding complete, so that no two texts are the same
 * signature and a changed bit anywhere is noticed.
 */
#include "package/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(char *ret, const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i += 3) {
        size_t left = n_bytes - i;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0);

        *ret++ = alphabet[bits >> 18];
        *ret++ = alphabet[bits >> 12 & 63];
        *ret++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *ret++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    *ret = '\0';
}

static bool decode_four(uint8_t *ret, size_t n, const char *text)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;

        if (i > n) {
            if (text[i] != '=') {
                return false;
            }
            bits <<= 6;
        } else if (found) {
            bits = bits << 6 | (uint32_t)(found - alphabet);
        } else {
            return false;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        uint8_t byte = (uint8_t)(bits >> (16 - 8 * i));

        if (i < n) {
            ret[i] = byte;
        } else if (byte != 0) {
            return false;
        }
    }
    return true;
}

bool base64_decode(uint8_t *ret, size_t n_bytes, const char *text, size_t n_text)
{
    if (n_text != 4 * ((n_bytes + 2) / 3)) {
        return false;
    }
    for (size_t at = 0; at < n_bytes; at += 3) {
        size_t n = n_bytes - at < 3 ? n_bytes - at : 3;

        if (!decode_four(ret + at, n, text + at / 3 * 4)) {
            return false;
        }
    }
    return true;
}

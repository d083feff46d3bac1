/*
 * escaped: finds a text whose characters may be escaped.
 *
 * A test string in the source of a web page or a program is seldom written as it is: a backslash
 * must be doubled, and whoever wants to know whether a scanner looks closely writes more of it in
 * numbers. Every escape is tried where it can begin, and taken only if it gives the character that
 * is wanted next; otherwise the byte stands for itself.
 *
 * The work is bounded by the length of the content times that of the text, and places where it can
 * begin are found by memchr().
 */
#include "providers/eicar/escaped.h"

#include <stdbool.h>
#include <string.h>

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* A number of at least one and at most `n_max` digits. Returns how many there are. */
static size_t number_read(const uint8_t *bytes, size_t n_bytes, unsigned base, size_t n_max,
                          unsigned *ret)
{
    size_t n = 0;

    *ret = 0;
    while (n < n_bytes && n < n_max && (unsigned)digit_value(bytes[n]) < base) {
        *ret = *ret * base + (unsigned)digit_value(bytes[n++]);
    }
    return n;
}

struct form {
    const char *start;
    const char *end;
    unsigned base;
    size_t n_digits_min;
    size_t n_digits_max;
};

static const struct form forms[] = {
    {"\\x", "", 16, 2, 2},  {"\\u", "", 16, 4, 4},  {"\\", "", 8, 2, 3},   {"%", "", 16, 2, 2},
    {"&#x", ";", 16, 1, 6}, {"&#X", ";", 16, 1, 6}, {"&#", ";", 10, 1, 7},
};

static size_t form_match(const struct form *form, const uint8_t *bytes, size_t n_bytes,
                         uint8_t wanted)
{
    size_t n_start = strlen(form->start);
    size_t n_end = strlen(form->end);
    unsigned number;
    size_t n;

    if (n_bytes < n_start || memcmp(bytes, form->start, n_start) != 0) {
        return 0;
    }
    n = number_read(bytes + n_start, n_bytes - n_start, form->base, form->n_digits_max, &number);
    if (n < form->n_digits_min || number != wanted || n_bytes - n_start - n < n_end ||
        memcmp(bytes + n_start + n, form->end, n_end) != 0) {
        return 0;
    }
    return n_start + n + n_end;
}

/* Whether an escape can begin here: most of what looks like one does not go on like one. */
static bool is_escape(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 3) {
        return false;
    }
    if (bytes[0] == '%') {
        return digit_value(bytes[1]) < 16;
    }
    if (bytes[0] == '&') {
        return bytes[1] == '#';
    }
    return bytes[0] == '\\' && (bytes[1] == 'x' || bytes[1] == 'u' || digit_value(bytes[1]) < 8);
}

/* How many bytes stand for `wanted` here; 0: something else does. */
static size_t character_match(const uint8_t *bytes, size_t n_bytes, uint8_t wanted)
{
    if (n_bytes >= 2 && bytes[0] == '\\' && bytes[1] == '\\' && wanted == '\\') {
        return 2;
    }
    if (is_escape(bytes, n_bytes)) {
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
            size_t n = form_match(&forms[i], bytes, n_bytes, wanted);

            if (n > 0) {
                return n;
            }
        }
    }
    return n_bytes >= 1 && bytes[0] == wanted;
}

static size_t text_match(const uint8_t *bytes, size_t n_bytes, const uint8_t *text, size_t n_text)
{
    size_t at = 0;

    for (size_t i = 0; i < n_text; i++) {
        size_t n = character_match(bytes + at, n_bytes - at, text[i]);

        if (n == 0) {
            return 0;
        }
        at += n;
    }
    return at;
}

size_t escaped_find(const uint8_t *bytes, size_t n_bytes, const uint8_t *text, size_t n_text,
                    size_t *ret_at)
{
    const uint8_t starts[] = {text[0], '\\', '%', '&'};

    for (size_t i = 0; i < sizeof(starts); i++) {
        const uint8_t *end = bytes + n_bytes;

        for (const uint8_t *at = bytes; (at = memchr(at, starts[i], (size_t)(end - at))); at++) {
            size_t n = text_match(at, (size_t)(end - at), text, n_text);

            if (n > 0) {
                *ret_at = (size_t)(at - bytes);
                return n;
            }
        }
    }
    return 0;
}

/*
 * blobs: finds what is encoded by its alphabet alone, and decodes it.
 *
 * Most long runs of the base64 alphabet are paths and names; decoded, those are noise, and
 * blob_is_readable() says so. Which decoder the script itself would call does not matter: what a
 * run comes to as text is shown to the rules in any case.
 *
 * Each byte of a text is in one run at most, and a run is decoded once.
 */
#include "providers/command/blobs.h"

#include <string.h>

#include "providers/command/fold.h"

#define BASE64_CHARS_MIN 16u
#define HEX_DIGITS_MIN   16u
#define NUMBERS_MIN      8u
/* Lines of base64 are wrapped at 64 or 76; shorter ones are words of prose. */
#define LINE_CHARS_MIN 60u

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* End of the run of base64 at `at`, wrapped lines included. */
static size_t base64_end(const struct text *text, size_t at)
{
    size_t line = at;
    size_t i = at;

    for (;;) {
        if (base64_value(text_at(text, i)) >= 0) {
            i++;
        } else if (text_at(text, i) == '\n' && i - line >= LINE_CHARS_MIN &&
                   base64_value(text_at(text, i + 1)) >= 0) {
            line = ++i;
        } else {
            return i;
        }
    }
}

static size_t hex_end(const struct text *text, size_t at)
{
    size_t i = at;

    while (hex_value(text_at(text, i)) >= 0) {
        i++;
    }
    return i;
}

/* End of a number of at most three digits at `at`, with its value; `at` when there is none. */
static size_t number_end(const struct text *text, size_t at, unsigned *ret_value)
{
    bool is_hex = text_at(text, at) == '0' && (text_at(text, at + 1) | 0x20) == 'x';
    size_t i = at + (is_hex ? 2 : 0);
    size_t start = i;
    unsigned value = 0;

    while (i - start < 3 && hex_value(text_at(text, i)) >= 0 &&
           (is_hex || hex_value(text_at(text, i)) < 10)) {
        value = value * (is_hex ? 16 : 10) + (unsigned)hex_value(text_at(text, i));
        i++;
    }
    if (i == start || hex_value(text_at(text, i)) >= 0) {
        return at;
    }
    *ret_value = value;
    return i;
}

static bool is_character(unsigned value)
{
    return (value >= 0x20 && value < 0x7f) || value == '\t' || value == '\n' || value == '\r';
}

static size_t separator_end(const struct text *text, size_t at)
{
    size_t i = at;

    while (i - at < 4 && text_at(text, i) != 0 && strchr(", ;\n", text_at(text, i))) {
        i++;
    }
    return i;
}

/* End of a list of character numbers at `at`; `at` when it is too short. */
static size_t numbers_end(const struct text *text, size_t at)
{
    size_t n = 0;
    size_t end = at;

    for (size_t i = at; i < text->n;) {
        unsigned value = 0;
        size_t next = number_end(text, i, &value);

        if (next == i || !is_character(value)) {
            break;
        }
        n++;
        end = next;
        i = separator_end(text, next);
        if (i == next) {
            break;
        }
    }
    return n >= NUMBERS_MIN ? end : at;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool blob_next(const struct text *text, size_t at, struct blob *ret_blob)
{
    while (at < text->n) {
        size_t end;

        if (is_digit(text->bytes[at]) && (at == 0 || base64_value(text->bytes[at - 1]) < 0)) {
            end = numbers_end(text, at);
            if (end > at) {
                *ret_blob = (struct blob){BLOB_NUMBERS, at, end};
                return true;
            }
        }
        end = base64_end(text, at);
        if (end - at >= HEX_DIGITS_MIN && hex_end(text, at) == end && (end - at) % 2 == 0) {
            *ret_blob = (struct blob){BLOB_HEX, at, end};
            return true;
        }
        if (end - at >= BASE64_CHARS_MIN) {
            *ret_blob = (struct blob){BLOB_BASE64, at, end};
            return true;
        }
        at = end + 1;
    }
    return false;
}

static void base64_decode(const struct text *text, const struct blob *blob, struct text *ret_text)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t first = blob->from;

    for (size_t i = blob->from; i < blob->to && !ret_text->is_cut; i++) {
        int value = base64_value(text->bytes[i]);

        if (value < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            text_put(ret_text, (uint8_t)(bits >> n_bits), text_span(text, first, i + 1));
            first = n_bits > 0 ? i : i + 1;
        }
    }
}

static void hex_decode(const struct text *text, const struct blob *blob, struct text *ret_text)
{
    for (size_t i = blob->from; i + 1 < blob->to; i += 2) {
        int value = hex_value(text->bytes[i]) << 4 | hex_value(text->bytes[i + 1]);

        text_put(ret_text, (uint8_t)value, text_span(text, i, i + 2));
    }
}

static void numbers_decode(const struct text *text, const struct blob *blob, struct text *ret_text)
{
    for (size_t i = blob->from; i < blob->to;) {
        unsigned value = 0;
        size_t next = number_end(text, i, &value);

        if (next == i) {
            break;
        }
        text_put(ret_text, (uint8_t)value, text_span(text, i, next));
        i = separator_end(text, next);
    }
}

void blob_decode(const struct text *text, const struct blob *blob, struct text *ret_text)
{
    switch (blob->form) {
    case BLOB_NONE:
        break;
    case BLOB_BASE64:
        base64_decode(text, blob, ret_text);
        break;
    case BLOB_HEX:
        hex_decode(text, blob, ret_text);
        break;
    case BLOB_NUMBERS:
        numbers_decode(text, blob, ret_text);
        break;
    }
}

bool blob_is_readable(const uint8_t *bytes, size_t n)
{
    size_t n_strange = 0;
    size_t low;

    if (n < 3) {
        return false;
    }
    if (fold_is_utf16(bytes, n, &low)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        size_t length = bytes[i] < 0xc2 ? 0 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;

        if (bytes[i] < 0x80) {
            n_strange += !is_character(bytes[i]);
            continue;
        }
        if (length == 0 || bytes[i] > 0xf4) {
            n_strange++;
            continue;
        }
        for (size_t k = 1; k < length && i + 1 < n; k++) {
            if ((bytes[i + 1] & 0xc0) != 0x80) {
                n_strange++;
                break;
            }
            i++;
        }
    }
    return n_strange * 50 <= n;
}

/*
 * escapes: characters that are written as numbers, put back in their place.
 *
 * printf, echo -e, $'...', JavaScript, Python and addresses each have their own way; all of them
 * are read everywhere, since the question is what the text could come to, not which interpreter
 * would agree. Only what comes to a printable ASCII character, a tab or a line end is taken: `%DA`
 * of `%DATE%` is no letter, nor is `\12` of a Windows path.
 *
 * Each character is read once; nothing is decoded twice here (the layers above do that).
 */
#include "providers/command/escapes.h"

#include <stdbool.h>

struct escape {
    size_t n; /* bytes that it takes; 0: there is none */
    uint32_t value;
};

static int digit(uint8_t c, unsigned base)
{
    int value = -1;

    if (c >= '0' && c <= '9') {
        value = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        value = (c | 0x20) - 'a' + 10;
    }
    return value >= 0 && (unsigned)value < base ? value : -1;
}

/* A number of n_min to n_max digits at `at`, after `n_before` bytes of introduction. */
static struct escape number(const struct text *text, size_t at, size_t n_before, unsigned base,
                            size_t n_min, size_t n_max)
{
    struct escape escape = {0, 0};
    size_t n = 0;

    for (; n < n_max; n++) {
        int value = digit(text_at(text, at + n_before + n), base);

        if (value < 0) {
            break;
        }
        escape.value = escape.value * base + (uint32_t)value;
    }
    if (n >= n_min) {
        escape.n = n_before + n;
    }
    return escape;
}

static struct escape backslash(const struct text *text, size_t at)
{
    struct escape escape;

    switch (text_at(text, at + 1)) {
    case 'x':
        if (text_at(text, at + 2) == '{') {
            escape = number(text, at, 3, 16, 1, 6);
            if (escape.n > 0 && text_at(text, at + escape.n) == '}') {
                escape.n++;
                return escape;
            }
        }
        return number(text, at, 2, 16, 2, 2);
    case 'u':
        return number(text, at, 2, 16, 4, 4);
    case 'U':
        return number(text, at, 2, 16, 8, 8);
    case '0':
        escape = number(text, at, 2, 8, 2, 3);
        return escape.n > 0 ? escape : (struct escape){0, 0};
    case '1':
        return number(text, at, 1, 8, 3, 3);
    default:
        return (struct escape){0, 0};
    }
}

static struct escape entity(const struct text *text, size_t at)
{
    struct escape escape = {0, 0};

    if (text_at(text, at + 1) != '#') {
        return escape;
    }
    escape = (text_at(text, at + 2) | 0x20) == 'x' ? number(text, at, 3, 16, 2, 6)
                                                   : number(text, at, 2, 10, 2, 7);
    if (escape.n == 0 || text_at(text, at + escape.n) != ';') {
        return (struct escape){0, 0};
    }
    escape.n++;
    return escape;
}

/* %u0041 is what JavaScript's escape() writes. */
static struct escape percent(const struct text *text, size_t at)
{
    return (text_at(text, at + 1) | 0x20) == 'u' ? number(text, at, 2, 16, 4, 4)
                                                 : number(text, at, 1, 16, 2, 2);
}

static bool is_taken(struct escape escape)
{
    return escape.n > 0 && ((escape.value >= 0x20 && escape.value < 0x7f) || escape.value == '\n' ||
                            escape.value == '\t');
}

size_t escapes_decode(const struct text *text, struct text *ret_text)
{
    size_t n_escapes = 0;

    for (size_t i = 0; i < text->n && !ret_text->is_cut;) {
        struct escape escape = {0, 0};

        if (text->bytes[i] == '\\') {
            escape = backslash(text, i);
        } else if (text->bytes[i] == '%') {
            escape = percent(text, i);
        } else if (text->bytes[i] == '&') {
            escape = entity(text, i);
        }
        if (is_taken(escape)) {
            text_put(ret_text, (uint8_t)escape.value, text_span(text, i, i + escape.n));
            n_escapes++;
            i += escape.n;
        } else {
            text_put(ret_text, text->bytes[i], text->spans[i]);
            i++;
        }
    }
    return n_escapes;
}

/*
 * noise: undoes what is put into words so that they are not recognised.
 *
 * p^o^wershell, po`wer`shell, c""url, c\url, {curl,-s,x} and curl${IFS}x run as if it were not
 * there. One pass takes all of it away, whichever shell it belongs to; the view before it is kept,
 * since the same characters have a meaning elsewhere (a backtick substitutes commands, a backslash
 * parts folders).
 *
 * A backslash is dropped only from a word that is the name of a known program afterwards.
 */
#include "providers/command/noise.h"

#include <string.h>

#include "providers/command/words.h"

#define WORD_MAX  32u
#define BRACE_MAX 512u

struct noise {
    const struct text *text;
    struct text *ret_text;
    size_t n_inside;
};

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool is_inside(const struct noise *noise, size_t at, size_t n)
{
    return at > 0 && is_word(noise->text->bytes[at - 1]) && is_word(text_at(noise->text, at + n));
}

/* How many bytes at `at` are a line continuation: `c`, blanks, a line end. */
static size_t continuation(const struct text *text, size_t at)
{
    size_t n = 1;

    while (text_at(text, at + n) == ' ' && n < 8) {
        n++;
    }
    return text_at(text, at + n) == '\n' ? n + 1 : 0;
}

/* Carets and backticks. Returns how many bytes to drop. */
static size_t mark(struct noise *noise, size_t at)
{
    uint8_t next = text_at(noise->text, at + 1);
    size_t n = continuation(noise->text, at);

    if (n > 0) {
        return n;
    }
    if (noise->text->bytes[at] == '^' ? next > 0x20 && next < 0x7f : is_word(next)) {
        noise->n_inside += is_inside(noise, at, 1) || text_at(noise->text, at + 2) == '^' ||
                           text_at(noise->text, at + 2) == '`';
        return 1;
    }
    return 0;
}

static size_t quote(struct noise *noise, size_t at)
{
    const struct text *text = noise->text;
    size_t n = text_at(text, at + 1) == text->bytes[at] ? 2 : 1;

    if (!is_inside(noise, at, n)) {
        return 0;
    }
    /* don't, it's, we'll: two letters at most, and the word ends. */
    noise->n_inside += !(n == 1 && text->bytes[at] == '\'' &&
                         (!is_word(text_at(text, at + 2)) || !is_word(text_at(text, at + 3))));
    return n;
}

/* ${IFS}, $IFS, $IFS$9; and $@, $*, $1 in the middle of a word, which are nothing. */
static size_t dollar(struct noise *noise, size_t at)
{
    static const char *const spaces[] = {"${ifs}", "$ifs$9", "$ifs"};
    uint8_t next = text_at(noise->text, at + 1);

    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (text_has(noise->text, at, spaces[i])) {
            size_t n = strlen(spaces[i]);

            text_put(noise->ret_text, ' ', text_span(noise->text, at, at + n));
            noise->n_inside++;
            return n;
        }
    }
    if ((next == '@' || next == '*') && is_inside(noise, at, 2)) {
        noise->n_inside++;
        return 2;
    }
    return 0;
}

/* A word with backslashes that is a program's name without them. Returns its length, put. */
static size_t backslashes(struct noise *noise, size_t at)
{
    const struct text *text = noise->text;
    char word[WORD_MAX];
    size_t kept[WORD_MAX];
    size_t n_word = 0;
    size_t n_slashes = 0;
    size_t n = 0;

    if (at > 0 && (is_word(text->bytes[at - 1]) || strchr("\\:/.-%", text->bytes[at - 1]))) {
        return 0;
    }
    for (; n_word < WORD_MAX; n++) {
        uint8_t c = text_at(text, at + n);

        if (c == '\\') {
            n_slashes++;
        } else if (is_word(c) || c == '-') {
            kept[n_word] = at + n;
            word[n_word++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        } else {
            break;
        }
        if (n_slashes > n_word + 1) {
            return 0;
        }
    }
    if (n_slashes == 0 || text_at(text, at + n) == ':' || word_is(word, n_word) == WORD_PLAIN) {
        return 0;
    }
    for (size_t i = 0; i < n_word; i++) {
        text_put_part(noise->ret_text, text, kept[i], kept[i] + 1);
    }
    noise->n_inside += n_slashes;
    return n;
}

/* {curl,-s,address}: a program and its words. Returns its length, put. */
static size_t braces(struct noise *noise, size_t at)
{
    const struct text *text = noise->text;
    char word[WORD_MAX];
    size_t n_word = 0;
    size_t n_commas = 0;
    size_t end = at + 1;

    for (; end < at + BRACE_MAX; end++) {
        uint8_t c = text_at(text, end);

        if (c == '}') {
            break;
        }
        if (c <= 0x20 || c == '{' || c == '"' || c == '\'') {
            return 0;
        }
        n_commas += c == ',';
        if (n_commas == 0 && n_word < WORD_MAX) {
            word[n_word++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        }
    }
    if (n_commas == 0 || end == at + BRACE_MAX || word_is(word, n_word) == WORD_PLAIN) {
        return 0;
    }
    for (size_t i = at + 1; i < end; i++) {
        uint8_t c = text->bytes[i];

        text_put(noise->ret_text, c == ',' ? ' ' : c, text->spans[i]);
    }
    noise->n_inside++;
    return end + 1 - at;
}

static size_t skip(struct noise *noise, size_t at)
{
    uint8_t c = noise->text->bytes[at];
    size_t n = 0;

    switch (c) {
    case '^':
    case '`':
        return mark(noise, at);
    case '"':
    case '\'':
        return quote(noise, at);
    case '$':
        return dollar(noise, at);
    case '{':
        return braces(noise, at);
    case '\\':
        n = continuation(noise->text, at);
        return n > 0 ? n : backslashes(noise, at);
    default:
        return is_word(c) ? backslashes(noise, at) : 0;
    }
}

size_t noise_strip(const struct text *text, struct text *ret_text)
{
    struct noise noise = {.text = text, .ret_text = ret_text};

    for (size_t i = 0; i < text->n && !ret_text->is_cut;) {
        size_t n = skip(&noise, i);

        if (n == 0) {
            text_put(ret_text, text->bytes[i], text->spans[i]);
            n = 1;
        }
        i += n;
    }
    return noise.n_inside;
}

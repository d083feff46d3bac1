/*
 * Wrapping of what the guard says to the terminal's width.
 *
 * Counts characters by their first bytes, so that UTF-8 wraps about right; a character of double
 * width counts as one. Never cuts text away: a word that is too long goes over the edge whole.
 */
#include "clients/shell/wrap.h"

#include <string.h>

static size_t n_characters(const char *text, size_t n_bytes)
{
    size_t n = 0;

    for (size_t i = 0; i < n_bytes; i++) {
        n += ((unsigned char)text[i] & 0xc0u) != 0x80u;
    }
    return n;
}

void wrap_write(FILE *out, unsigned columns, const char *label, const char *text)
{
    size_t column;

    if (text[0] == '\0') {
        return;
    }
    fprintf(out, "  %-*s", WRAP_INDENT - 2, label);
    column = WRAP_INDENT;
    while (*text) {
        size_t n_bytes = strcspn(text, " \n");
        size_t n_word = n_characters(text, n_bytes);

        if (column > WRAP_INDENT && column + 1 + n_word > columns) {
            fprintf(out, "\n%*s", WRAP_INDENT, "");
            column = WRAP_INDENT;
        } else if (column > WRAP_INDENT) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, n_bytes, out);
        column += n_word;
        text += n_bytes;
        if (*text == '\n') {
            fprintf(out, "\n%*s", WRAP_INDENT, "");
            column = WRAP_INDENT;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

/*
 * Escaping of text from strangers.
 *
 * File names, rule names and process names come from whoever wants to be looked at wrongly: they
 * can hold terminal sequences, line breaks that fake a second log line, and characters that turn
 * "gpj.exe" around or hide a part. What is left through is UTF-8 that shows as itself. Escaped are
 *   - C0, DEL and C1 controls, and bytes that are no UTF-8;
 *   - format characters (category Cf: bidi controls, zero width characters, tags), line and
 *     paragraph separators, variation selectors, and letters that are drawn as nothing;
 *   - private use and noncharacters, which mean something else on every screen.
 * Confusable letters of other scripts are left alone: people's names are written in them.
 */
#include "base/safe_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct range {
    uint32_t first;
    uint32_t last;
};

/* Ascending. Unicode 15; the controls below U+00A0 are in it. */
static const struct range unsafe[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x2800, 0x2800},   {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
    {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff},
    {0x3fffe, 0x3ffff}, {0x4fffe, 0x4ffff}, {0x5fffe, 0x5ffff}, {0x6fffe, 0x6ffff},
    {0x7fffe, 0x7ffff}, {0x8fffe, 0x8ffff}, {0x9fffe, 0x9ffff}, {0xafffe, 0xaffff},
    {0xbfffe, 0xbffff}, {0xcfffe, 0xcffff}, {0xdfffe, 0xe0fff}, {0xefffe, 0x10ffff},
};

static bool is_unsafe(uint32_t code)
{
    size_t low = 0;
    size_t high = sizeof(unsafe) / sizeof(unsafe[0]);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (code > unsafe[middle].last) {
            low = middle + 1;
        } else if (code < unsafe[middle].first) {
            high = middle;
        } else {
            return true;
        }
    }
    return false;
}

/* What the first character of `text` becomes. Returns the bytes used, and the piece in `ret_piece`
 * with its length. */
static size_t next_piece(const unsigned char *text, size_t n_text, bool quoted, char ret_piece[16],
                         size_t *ret_n_piece)
{
    uint32_t code = 0;
    size_t n = utf8_decode(text, n_text, &code);

    if (n == 0 || (n == 1 && is_unsafe(code)) || (quoted && code == '\'')) {
        *ret_n_piece = (size_t)snprintf(ret_piece, 16, "\\x%02x", text[0]);
        return 1;
    }
    if (is_unsafe(code)) {
        *ret_n_piece = (size_t)snprintf(ret_piece, 16, "\\u{%04x}", (unsigned)code);
        return n;
    }
    if (code == '\\') {
        *ret_n_piece = 2;
        memcpy(ret_piece, "\\\\", 2);
        return 1;
    }
    memcpy(ret_piece, text, n);
    *ret_n_piece = n;
    return n;
}

static size_t escape(char *out, size_t n_out, const unsigned char *text, size_t n_text, bool quoted)
{
    size_t at = 0;

    if (n_out == 0) {
        return 0;
    }
    while (n_text > 0) {
        char piece[16];
        size_t n_piece;
        size_t n_used = next_piece(text, n_text, quoted, piece, &n_piece);

        if (n_piece >= n_out - at) {
            break;
        }
        memcpy(out + at, piece, n_piece);
        at += n_piece;
        text += n_used;
        n_text -= n_used;
    }
    out[at] = '\0';
    return at;
}

size_t safe_text(char *out, size_t n_out, const void *text, size_t n_text)
{
    return escape(out, n_out, text, n_text, false);
}

size_t safe_text_quoted(char *out, size_t n_out, const void *text, size_t n_text)
{
    return escape(out, n_out, text, n_text, true);
}

/*
 * fold: makes ASCII of what looks like ASCII.
 *
 * A Cyrillic letter in the name of a host, a fullwidth letter in that of a program, a zero-width
 * space in the middle of a word: people do not see them, and rules must not trip over them.
 * PowerShell really takes typographic dashes and quotes for plain ones, and an interpreter that is
 * handed a Unicode form of a name often takes that, too.
 *
 * The equivalences are ICU's: NFKC, then the confusables of Unicode TR 39, one character at a time
 * and only for characters that are not ASCII (the confusables also take `m` for `rn`). What comes
 * out as ASCII is used, everything else stays. The tables are read at load time; below U+3400 each
 * character has an entry of ours, so that ordinary text costs a look into an array.
 */
#include "providers/command/fold.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/udata.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#define TABLE_END    0x3400
#define ENTRY_NONE   0
#define ENTRY_ASK    1 /* more than one ASCII character */
#define ENTRY_DROP   2
#define FORMS_MAX    8
#define UTF16_SAMPLE 512u

static uint8_t table[TABLE_END];
static const UNormalizer2 *nfkc;
static USpoofChecker *spoof;

/* What Unicode calls by another name than what the shells do. */
static uint8_t punctuation(UChar32 c)
{
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) {
        return '-';
    }
    if (c >= 0x2018 && c <= 0x201b) {
        return '\'';
    }
    if (c >= 0x201c && c <= 0x201f) {
        return '"';
    }
    if (c == 0x2028 || c == 0x2029 || c == 0x85) {
        return '\n';
    }
    return u_isUWhiteSpace(c) ? ' ' : 0;
}

static size_t ascii_only(const UChar *form, int32_t n, char ret[FORMS_MAX])
{
    if (n <= 0 || n > FORMS_MAX) {
        return 0;
    }
    for (int32_t i = 0; i < n; i++) {
        if (form[i] < 0x20 || form[i] >= 0x7f) {
            return 0;
        }
        ret[i] = (char)form[i];
    }
    return (size_t)n;
}

/* The ASCII characters that `c` comes to; 0 when there are none. */
static size_t ask(UChar32 c, char ret[FORMS_MAX])
{
    UChar source[U16_MAX_LENGTH];
    UChar form[FORMS_MAX * 2];
    int32_t n_source = 0;
    UErrorCode status = U_ZERO_ERROR;
    int32_t n;
    size_t n_ascii;

    U16_APPEND_UNSAFE(source, n_source, c);
    n = unorm2_normalize(nfkc, source, n_source, form, FORMS_MAX * 2, &status);
    n_ascii = U_SUCCESS(status) ? ascii_only(form, n, ret) : 0;
    if (n_ascii > 0) {
        return n_ascii;
    }
    status = U_ZERO_ERROR;
    n = uspoof_getSkeleton(spoof, 0, source, n_source, form, FORMS_MAX * 2, &status);
    return U_SUCCESS(status) ? ascii_only(form, n, ret) : 0;
}

int fold_init(void)
{
    UErrorCode status = U_ZERO_ERROR;

    if (spoof) {
        return 0;
    }
    /* The tables are in ICU's library; it must not look for files, which the sandbox forbids. */
    udata_setFileAccess(UDATA_NO_FILES, &status);
    nfkc = unorm2_getNFKCInstance(&status);
    spoof = uspoof_open(&status);
    if (U_FAILURE(status)) {
        spoof = NULL;
        return -1;
    }
    for (UChar32 c = 0x80; c < TABLE_END; c++) {
        char ascii[FORMS_MAX];
        uint8_t mark = punctuation(c);
        size_t n;

        if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) {
            table[c] = ENTRY_DROP;
        } else if (mark) {
            table[c] = mark;
        } else {
            n = ask(c, ascii);
            table[c] = n == 0 ? ENTRY_NONE : n == 1 ? (uint8_t)ascii[0] : ENTRY_ASK;
        }
    }
    return 0;
}

bool fold_is_utf16(const uint8_t *bytes, size_t n, size_t *ret_low)
{
    size_t n_sample = (n < UTF16_SAMPLE ? n : UTF16_SAMPLE) & ~(size_t)1;
    size_t n_zero[2] = {0, 0};

    if (n >= 2 &&
        ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff))) {
        *ret_low = bytes[0] == 0xfe;
        return true;
    }
    for (size_t i = 0; i < n_sample; i++) {
        n_zero[i % 2] += bytes[i] == 0;
    }
    *ret_low = n_zero[0] > n_zero[1];
    return n_sample >= 4 && n_zero[!*ret_low] * 10 >= n_sample / 2 * 7 &&
           n_zero[*ret_low] * 10 <= n_sample / 2;
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Scripts without look-alikes of ASCII, where asking about every character would cost. */
static bool is_plain_foreign(UChar32 c)
{
    return (c >= TABLE_END && c < 0xf900) || c >= 0x1f000;
}

static void put_foreign(struct text *text, UChar32 c, struct span span)
{
    uint8_t utf8[U8_MAX_LENGTH];
    size_t n = 0;

    U8_APPEND_UNSAFE(utf8, n, c);
    text_put_bytes(text, utf8, n, span);
}

/* One character that is not ASCII. */
static void character(struct text *text, UChar32 c, struct span span, bool is_beside_letter,
                      struct fold_seen *seen)
{
    char ascii[FORMS_MAX];
    uint8_t entry = c < TABLE_END ? table[c] : ENTRY_ASK;
    size_t n;

    if (c >= TABLE_END && u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) {
        entry = ENTRY_DROP;
    }
    if (entry == ENTRY_DROP) {
        /* A byte order mark at the beginning, and what picks the look of an emoji, hide nothing. */
        if ((c != 0xfeff || text->n > 0) && !(c >= 0xfe00 && c <= 0xfe0f) && c != 0x200d) {
            seen->n_invisible++;
        }
        return;
    }
    if (entry == ENTRY_NONE || (entry == ENTRY_ASK && is_plain_foreign(c))) {
        put_foreign(text, c, span);
        return;
    }
    n = entry == ENTRY_ASK ? ask(c, ascii) : 1;
    if (n == 0) {
        put_foreign(text, c, span);
        return;
    }
    if (entry != ENTRY_ASK) {
        ascii[0] = (char)entry;
    }
    if (is_beside_letter && is_letter((uint8_t)ascii[0])) {
        seen->n_lookalikes++;
    }
    text_put_bytes(text, ascii, n, span);
}

static void fold_utf16(const struct text *raw, size_t low, struct text *text,
                       struct fold_seen *seen)
{
    for (size_t i = 0; i + 1 < raw->n && !text->is_cut; i += 2) {
        UChar32 c = raw->bytes[i + low] | raw->bytes[i + !low] << 8;
        struct span span = text_span(raw, i, i + 2);

        if (U16_IS_LEAD(c) && i + 3 < raw->n) {
            UChar32 trail = raw->bytes[i + 2 + low] | raw->bytes[i + 2 + !low] << 8;

            if (U16_IS_TRAIL(trail)) {
                c = U16_GET_SUPPLEMENTARY(c, trail);
                span = text_span(raw, i, i + 4);
                i += 2;
            }
        }
        if (U_IS_SURROGATE(c) || c == '\r') {
            continue;
        }
        if (c < 0x80) {
            text_put(text, (uint8_t)c, span);
        } else {
            character(text, c, span, text->n > 0 && is_letter(text->bytes[text->n - 1]), seen);
        }
    }
}

static void fold_utf8(const struct text *raw, struct text *text, struct fold_seen *seen)
{
    for (size_t i = 0; i < raw->n && !text->is_cut;) {
        size_t next = i;
        UChar32 c = raw->bytes[i];

        if (c < 0x80) {
            if (c != '\r' || text_at(raw, i + 1) != '\n') {
                text_put(text, c == '\r' ? '\n' : (uint8_t)c, raw->spans[i]);
            }
            i++;
            continue;
        }
        U8_NEXT(raw->bytes, next, raw->n, c);
        if (c < 0) {
            text_put(text, raw->bytes[i], raw->spans[i]);
            i++;
            continue;
        }
        character(text, c, text_span(raw, i, next),
                  (i > 0 && is_letter(raw->bytes[i - 1])) || is_letter(text_at(raw, next)), seen);
        i = next;
    }
}

void fold(const struct text *raw, struct text *ret_text, struct fold_seen *seen)
{
    size_t low;

    if (fold_is_utf16(raw->bytes, raw->n, &low)) {
        fold_utf16(raw, low, ret_text, seen);
    } else {
        fold_utf8(raw, ret_text, seen);
    }
}

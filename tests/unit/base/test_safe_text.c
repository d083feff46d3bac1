/* Escaping: nothing that a terminal obeys, nothing that hides, nothing cut in two. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "base/utf8.h"
#include "random.h"
#include "testing.h"

static void what_is_dangerous_is_escaped_and_what_people_write_is_not(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *wanted;
    } cases[] = {
        {"plain name.txt", 14, "plain name.txt"},
        {"Příliš žluťoučký", 23, "Příliš žluťoučký"},
        {"文件.docx", 11, "文件.docx"},
        {"🐕", 4, "🐕"},
        {"\x1b[31mred", 8, "\\x1b[31mred"},             /* ANSI colour */
        {"\x1b]0;title\x07", 10, "\\x1b]0;title\\x07"}, /* window title */
        {"a\nb\rc\td", 7, "a\\x0ab\\x0dc\\x09d"},       /* lines of its own */
        {"a\0b", 3, "a\\x00b"},                         /* NUL */
        {"\x7f", 1, "\\x7f"},                           /* DEL */
        {"\xc2\x9b"
         "31m",
         5, "\\u{009b}31m"}, /* C1 CSI */
        {"\x9b"
         "31m",
         4, "\\x9b31m"}, /* the same as a raw byte */
        {"\xe2\x80\xae"
         "gpj.exe",
         10, "\\u{202e}gpj.exe"},         /* right-to-left override */
        {"\xe2\x81\xa6", 3, "\\u{2066}"}, /* isolate */
        {"\xd8\x9c", 2, "\\u{061c}"},     /* Arabic letter mark */
        {"a\xe2\x80\x8b"
         "b",
         5, "a\\u{200b}b"},                     /* zero width space */
        {"\xef\xbb\xbf", 3, "\\u{feff}"},       /* byte order mark */
        {"\xc2\xad", 2, "\\u{00ad}"},           /* soft hyphen */
        {"\xe2\x80\xa8", 3, "\\u{2028}"},       /* line separator */
        {"\xf3\xa0\x81\x81", 4, "\\u{e0041}"},  /* tag letter */
        {"\xef\xb8\x8f", 3, "\\u{fe0f}"},       /* variation selector */
        {"\xe3\x85\xa4", 3, "\\u{3164}"},       /* letter drawn as nothing */
        {"\xee\x80\x80", 3, "\\u{e000}"},       /* private use */
        {"\xf4\x8f\xbf\xbf", 4, "\\u{10ffff}"}, /* noncharacter */
        {"\xc0\xaf", 2, "\\xc0\\xaf"},          /* overlong slash */
        {"\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf"}, /* the same, longer */
        {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"}, /* surrogate */
        {"ab\xc3", 3, "ab\\xc3"},               /* cut character */
        {"\\x41", 4, "\\\\x41"},                /* an escape that is none of ours */
        {"it's", 4, "it's"},
        {"", 0, ""},
    };
    char out[128];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = safe_text(out, sizeof(out), cases[i].text, cases[i].n);

        assert_string_equal(out, cases[i].wanted);
        assert_int_equal(n, strlen(cases[i].wanted));
    }
}

static void quotes_are_escaped_where_text_stands_in_quotes(void **state)
{
    char out[64];

    assert_int_equal(safe_text_quoted(out, sizeof(out), "x' died", 7), 10);
    assert_string_equal(out, "x\\x27 died");
}

static void cutting_never_splits_an_escape_or_a_character(void **state)
{
    static const char text[] = "a\x1b\xe2\x80\xae\xc5\x99\\z";
    static const char *const pieces[] = {"a", "\\x1b", "\\u{202e}", "\xc5\x99", "\\\\", "z"};

    for (size_t n_out = 1; n_out < 40; n_out++) {
        char wanted[40] = "";
        char out[41];

        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
            if (strlen(wanted) + strlen(pieces[i]) >= n_out) {
                break;
            }
            strcat(wanted, pieces[i]);
        }
        memset(out, '#', sizeof(out));
        assert_int_equal(safe_text(out, n_out, text, strlen(text)), strlen(wanted));
        assert_string_equal(out, wanted);
        assert_int_equal(out[n_out], '#');
    }
}

static void no_room_at_all_writes_nothing(void **state)
{
    char out = '#';

    assert_int_equal(safe_text(&out, 0, "abc", 3), 0);
    assert_int_equal(out, '#');
    assert_int_equal(safe_text(&out, 1, "abc", 3), 0);
    assert_int_equal(out, '\0');
}

/* Undoes the escaping; proves that two texts never look the same. */
static size_t undo(const char *text, unsigned char *ret_bytes)
{
    size_t n = 0;

    while (*text) {
        uint32_t code = 0;

        if (text[0] != '\\') {
            ret_bytes[n++] = (unsigned char)*text++;
        } else if (text[1] == '\\') {
            ret_bytes[n++] = '\\';
            text += 2;
        } else if (text[1] == 'x') {
            char hex[3] = {text[2], text[3], '\0'};

            ret_bytes[n++] = (unsigned char)strtoul(hex, NULL, 16);
            text += 4;
        } else {
            char *end;

            assert_int_equal(text[1], 'u');
            code = (uint32_t)strtoul(text + 3, &end, 16);
            assert_int_equal(*end, '}');
            text = end + 1;
            if (code < 0x800) {
                ret_bytes[n++] = (unsigned char)(0xc0 | code >> 6);
            } else if (code < 0x10000) {
                ret_bytes[n++] = (unsigned char)(0xe0 | code >> 12);
                ret_bytes[n++] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
            } else {
                ret_bytes[n++] = (unsigned char)(0xf0 | code >> 18);
                ret_bytes[n++] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
                ret_bytes[n++] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
            }
            ret_bytes[n++] = (unsigned char)(0x80 | (code & 0x3f));
        }
    }
    return n;
}

/* That it fits is seen by undoing it: nothing may be missing. */
static void any_bytes_become_printable_and_can_be_told_apart(void **state)
{
    uint64_t seed = 1;

    for (unsigned round = 0; round < 20000; round++) {
        unsigned char bytes[48], again[48];
        size_t n_bytes = random_below(&seed, sizeof(bytes) + 1);
        char out[SAFE_TEXT_BYTES(sizeof(bytes))];
        size_t n_out;

        for (size_t i = 0; i < n_bytes; i++) {
            /* Mostly bytes of which UTF-8 is made. */
            bytes[i] = (unsigned char)(random_below(&seed, 3) ? 0x80 | random_next(&seed)
                                                              : random_next(&seed));
        }
        n_out = safe_text(out, sizeof(out), bytes, n_bytes);
        assert_int_equal(n_out, strlen(out));
        for (size_t at = 0, n; at < n_out; at += n) {
            uint32_t code = 0;

            n = utf8_decode(out + at, n_out - at, &code);
            assert_true(n > 0);
            assert_true(code >= 0x20 && (code < 0x7f || code > 0x9f));
        }
        assert_int_equal(undo(out, again), n_bytes);
        assert_memory_equal(again, bytes, n_bytes);
    }
}

static void no_character_grows_beyond_the_room_that_is_promised(void **state)
{
    for (uint32_t code = 0x80; code < 0x110000; code++) {
        unsigned char bytes[4];
        char out[SAFE_TEXT_BYTES(sizeof(bytes))];
        size_t n = 0;

        if (code >= 0x10000) {
            bytes[n++] = (unsigned char)(0xf0 | code >> 18);
            bytes[n++] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
            bytes[n++] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        } else if (code >= 0x800) {
            bytes[n++] = (unsigned char)(0xe0 | code >> 12);
            bytes[n++] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        } else {
            bytes[n++] = (unsigned char)(0xc0 | code >> 6);
        }
        bytes[n++] = (unsigned char)(0x80 | (code & 0x3f));
        assert_true(safe_text(out, SAFE_TEXT_BYTES(n), bytes, n) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dangerous_is_escaped_and_what_people_write_is_not),
        cmocka_unit_test(quotes_are_escaped_where_text_stands_in_quotes),
        cmocka_unit_test(cutting_never_splits_an_escape_or_a_character),
        cmocka_unit_test(no_room_at_all_writes_nothing),
        cmocka_unit_test(no_character_grows_beyond_the_room_that_is_promised),
        cmocka_unit_test(any_bytes_become_printable_and_can_be_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

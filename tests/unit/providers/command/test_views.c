/* What the views of a content show: each way of hiding text, undone; and the limits. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "providers/command/fold.h"
#include "providers/command/views.h"
#include "testing.h"

static struct views views;

static int group_set_up(void **state)
{
    return fold_init();
}

static int tear_down(void **state)
{
    views_fini(&views);
    return 0;
}

static void make(const void *bytes, size_t n)
{
    views_fini(&views);
    views = (struct views)VIEWS_INIT;
    views_make(&views, bytes, n);
}

/* The first view that has `text` in it, or NULL. */
static const struct view *view_with(const char *text)
{
    for (size_t i = 0; i < views.n; i++) {
        const struct text *t = &views.views[i].text;

        if (t->n > 0 && memmem(t->bytes, t->n, text, strlen(text))) {
            return &views.views[i];
        }
    }
    return NULL;
}

static const struct view *assert_reads(const char *content, const char *text)
{
    make(content, strlen(content));
    if (!view_with(text)) {
        for (size_t i = 0; i < views.n; i++) {
            print_message("# view %zu: %.*s\n", i, (int)views.views[i].text.n,
                          (const char *)views.views[i].text.bytes);
        }
        fail_msg("no view of '%s' has '%s'", content, text);
    }
    assert_false(views.is_incomplete);
    return view_with(text);
}

static void encoded_text_is_a_layer_of_its_own(void **state)
{
    const struct view *view =
        assert_reads("echo ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo= | base64 -d | sh", "echo hello from");

    assert_int_equal(view->layer, 1);
    assert_true(view->how & VIEW_BASE64);
    assert_reads("echo 6563686f2068656c6c6f | xxd -r -p", "echo hello");
    assert_reads("powershell -e ZQBjAGgAbwAgAGgAZQBsAGwAbwA=", "echo hello");
    assert_reads("x='ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA'", "echo hello from a test");
    assert_reads("exec(''.join(map(chr,[101,99,104,111,32,104,101,108,108,111])))", "echo hello");
    assert_reads("0x65,0x63,0x68,0x6f,0x20,0x68,0x65,0x6c,0x6c,0x6f", "echo hello");
}

static void wrapped_base64_is_one_run(void **state)
{
    assert_reads("base64 -d <<E\n"
                 "ZWNobyBvbmUgdmVyeSBsb25nIGxpbmUgdGhhdCBpcyB3cmFwcGVkIGJ5IHRoZSB0b29sIHRo\n"
                 "YXQgbWFkZSBpdAo=\nE",
                 "wrapped by the tool that made it");
}

static void layers_are_taken_off_one_after_the_other(void **state)
{
    /* base64 of base64 of base64 */
    const struct view *view =
        assert_reads("echo V2xkT2IySjVRbTlhVjNoellubENiV050T1hSSlIwVm5aRWRXZW1SQmJ6MD0=",
                     "echo hello from a test");

    assert_int_equal(view->layer, 3);
}

static void compressed_text_is_read(void **state)
{
    assert_reads("H4sIAKERB2sC/0tNzshXyEjNyclXSCvKz1VIVChJLS7hAgAaF+LjFwAAAA==",
                 "echo hello from a test");
}

static void characters_by_number_are_put_in_place(void **state)
{
    assert_reads("printf '\\x65\\x63ho hi'", "printf 'echo hi'");
    assert_reads("$'\\145\\143\\150\\157 hi'", "'echo hi'");
    assert_reads("eval('\\u0065cho hi')", "'echo hi'");
    assert_reads("unescape('%65%63ho%20hi')", "'echo hi'");
    assert_reads("&#101;&#x63;ho hi", "echo hi");
    assert_reads("%DATE% C:\\12\\xy", "%DATE% C:\\12\\xy");
}

static void pieces_are_joined(void **state)
{
    assert_reads("&('i'+'e'+'x')", "'iex'");
    assert_reads("(\"{2}{0}{1}\" -f 'ho ','hi','ec')", "'echo hi'");
    assert_reads("-join('ec','ho')", "'echo'");
    assert_reads("('e','c','ho') -join ''", "'echo'");
    assert_reads("[string]::join('',('ec','ho'))", "'echo'");
    assert_reads("[char]105+[char]0x65+'x'", "'iex'");
    assert_reads("-join([char[]](101,99,104,111))", "'echo'");
    assert_reads("String.fromCharCode(101, 99, 104,111)", "'echo'");
    assert_reads("chr(101)+chr(99)+'ho'", "'echo'");
    assert_reads("'eXcXho'.replace('X','')", "'echo'");
    assert_reads("('eQcho' -replace 'Q')", "'echo'");
    assert_reads("'ohce'[-1..-4] -join ''", "'echo'");
    assert_reads("'ohce'[::-1]", "'echo'");
    assert_reads("\"ohce\".split(\"\").reverse().join(\"\")", "'echo'");
    assert_reads("''.join(['ec','ho'])", "'echo'");
    assert_reads("$env:ComSpec[4,24,25]-join''", "'iex'");
    assert_reads("Join-Path 'C:\\x' 'a.exe'", "'C:\\x\\a.exe'");
}

static void variables_are_followed(void **state)
{
    assert_reads("a=ec; b=ho; $a$b hi", "; echo hi");
    assert_reads("a=abecho; ${a:2:4} hi", "; echo hi");
    assert_reads("a=eXcho; ${a//X/} hi", "; echo hi");
    assert_reads("$a='ie';$b='x';&($a+$b)", "&'iex'");
    assert_reads("set x=ec&& set y=ho&& call %x%%y% hi", "call echo hi");
    assert_reads("set x=abecho&& %x:~2,4% hi", "&& echo hi");
    assert_reads("set x=eXcho&& %x:X=% hi", "&& echo hi");
    assert_reads("cmd /v /c \"set x=echo&& !x! hi\"", "&& echo hi");
    assert_reads("%COMSPEC:~0,1%:", "C:");
    assert_reads("var a='ec',b; a+'ho'", "'echo'");
}

static void noise_inside_words_is_taken_away(void **state)
{
    assert_reads("e^c^h^o hi", "echo hi");
    assert_reads("e`ch`o hi", "echo hi");
    assert_reads("c\"\"ur'l' x", "curl' x");
    assert_reads("c\\url x", "curl x");
    assert_reads("curl${IFS}-s${IFS}x", "curl -s x");
    assert_reads("{curl,-s,x}", "curl -s x");
    assert_reads("wh$@oami", "whoami");
    assert_reads("ec^\nho hi", "echo hi");
    assert_reads("curl \\\n -s x", "curl  -s x");
    assert_reads("C:\\curl\\bin x", "C:\\curl\\bin x");
}

static void what_looks_like_ascii_becomes_ascii(void **state)
{
    assert_reads("cu\xe2\x80\x8brl x", "curl x");
    assert_int_equal(views.n_invisible, 1);
    assert_reads("p\xd0\xbewershell", "powershell");
    assert_int_equal(views.n_lookalikes, 1);
    assert_reads("\xef\xbd\x83\xef\xbd\x95\xef\xbd\x92\xef\xbd\x8c x", "curl x");
    assert_reads("\xe2\x80\x93w hidden \xe2\x80\x9cx\xe2\x80\x9d\xc2\xa0y", "-w hidden \"x\" y");
    assert_reads("\xef\xac\x81le", "file");
    assert_reads("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "\xd0\xbf");
    assert_int_equal(views.n_lookalikes, 0);
}

static void utf16_of_either_order_is_read(void **state)
{
    make("\xff\xfe"
         "e\0c\0h\0o\0",
         10);
    assert_non_null(view_with("echo"));
    make("\0e\0c\0h\0o\0 \0h\0i", 14);
    assert_non_null(view_with("echo hi"));
}

static void turned_text_is_turned_back(void **state)
{
    assert_reads("echo 'ih ohce' | rev", "echo hi");
    assert_reads("echo 'rpub uv' | tr 'a-zA-Z' 'n-za-mN-ZA-M'", "echo hi");
}

/* The place of what was found is a place in the content. */
static void ranges_point_at_the_content(void **state)
{
    const char *content = "echo  ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo= | base64 -d";
    const struct view *view = assert_reads(content, "hello");
    const uint8_t *place = memmem(view->text.bytes, view->text.n, "hello", 5);
    size_t at = (size_t)(place - view->text.bytes);
    struct span span = text_span(&view->text, at, at + 5);

    /* Characters 5 to 9 of the text are in digits 6 to 13 of the base64, which begins at 6. */
    assert_in_range(span.start, 12, 13);
    assert_in_range(span.end, 19, 20);
    view = assert_reads("xx p^o^w", "pow");
    span = text_span(&view->text, 3, 6);
    assert_int_equal(span.start, 3);
    assert_int_equal(span.end, 8);
}

static void words_and_paths_are_not_taken_for_base64(void **state)
{
    const char *content = "cp /usr/local/share/applications/SomeLongNameOfAFile WindowsPowerShell";

    make(content, strlen(content));
    for (size_t i = 0; i < views.n; i++) {
        assert_int_equal(views.views[i].layer, 0);
    }
}

static void a_program_in_it_is_noticed(void **state)
{
    char content[512] = "x=TVqQAAMAAAAEAAAA";

    memset(content + strlen(content), 'A', 200);
    make(content, strlen(content));
    assert_true(views.has_program);
    assert_int_equal(views.program.start, 2);
}

/* -------------------------------------------------------------------------------------- limits */

static void more_layers_than_the_limit_are_incomplete(void **state)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 4;
    char *content = strdup("echo");

    assert_non_null(content);
    for (unsigned layer = 0; layer < LAYERS_MAX + 3; layer++) {
        char *next = malloc(n * 2 + 1);

        assert_non_null(next);
        for (size_t i = 0; i < n; i++) {
            next[2 * i] = digits[(uint8_t)content[i] >> 4];
            next[2 * i + 1] = digits[(uint8_t)content[i] & 15];
        }
        next[n * 2] = '\0';
        n *= 2;
        free(content);
        content = next;
    }
    make(content, n);
    assert_true(views.is_incomplete);
    free(content);
}

static void more_runs_than_the_limit_are_incomplete(void **state)
{
    char content[4096] = "";

    for (unsigned i = 0; i < VIEWS_MAX + 4; i++) {
        sprintf(content + strlen(content), "%02x6563686f2068656c6c6f%02x ", 0x41 + i, 0x41 + i);
    }
    make(content, strlen(content));
    assert_true(views.is_incomplete);
}

static void a_bomb_ends_at_the_limit(void **state)
{
    size_t n = 32u << 20;
    uint8_t *zeros = calloc(1, n);
    uLongf n_packed = compressBound(n);
    uint8_t *packed = malloc(n_packed);
    char *content = malloc(n_packed * 2 + 1);

    assert_non_null(zeros);
    assert_non_null(packed);
    assert_non_null(content);
    memset(zeros, 'a', n);
    assert_int_equal(compress(packed, &n_packed, zeros, n), Z_OK);
    for (size_t i = 0; i < n_packed; i++) {
        sprintf(content + 2 * i, "%02x", packed[i]);
    }
    make(content, n_packed * 2);
    assert_true(views.is_incomplete);
    assert_true(views.n_bytes < 2 * TOTAL_BYTES_MAX);
    free(content);
    free(packed);
    free(zeros);
}

static bool at_once(void *data)
{
    return true;
}

static void no_time_is_late(void **state)
{
    views_fini(&views);
    views = (struct views){.out_of_time = at_once};
    views_make(&views, (const uint8_t *)"echo", 4);
    assert_true(views.is_late);
    assert_int_equal(views.n, 0);
}

/* Hostile nesting, quotes without end: an end in any case, and soon. */
static void what_does_not_parse_ends(void **state)
{
    static const char *const pieces[] = {"(",         "'",         "\"",   "('a'+", "[char[]](",
                                         "-join(",    "${a",       "%a:~", "{",     "`",
                                         "$a=$a+$a;", "'a'[-1..-", "\\",   "^"};
    char *content = malloc(200001);

    assert_non_null(content);
    for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        size_t n = 0;

        while (n + strlen(pieces[p]) <= 200000) {
            memcpy(content + n, pieces[p], strlen(pieces[p]));
            n += strlen(pieces[p]);
        }
        make(content, n);
        assert_true(views.n >= 1);
    }
    free(content);
}

/* Each truncation and each flipped bit of lines that use everything. */
static void broken_lines_do_no_harm(void **state)
{
    static const char *const lines[] = {
        "$a='{1}{0}'-f'x','ie';&$a((-join[char[]](105,114,109))+\"`x\".replace('x','y')[-1..-2])",
        "set x=abc&&%x:~0,1%!x:a=b!^c{curl,-s}${IFS}$(printf '\\x41\\101\\u0041%41&#65;')|rev",
        "cu\xe2\x80\x8brl \xd0\xbe ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo= 6563686f2068656c6c6f |sh",
    };

    for (size_t l = 0; l < sizeof(lines) / sizeof(lines[0]); l++) {
        size_t n = strlen(lines[l]);
        char copy[256];

        for (size_t i = 0; i <= n; i++) {
            make(lines[l], i);
        }
        for (size_t bit = 0; bit < n * 8; bit++) {
            memcpy(copy, lines[l], n);
            copy[bit / 8] ^= (char)(1 << bit % 8);
            make(copy, n);
        }
    }
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(encoded_text_is_a_layer_of_its_own),
        CASE(wrapped_base64_is_one_run),
        CASE(layers_are_taken_off_one_after_the_other),
        CASE(compressed_text_is_read),
        CASE(characters_by_number_are_put_in_place),
        CASE(pieces_are_joined),
        CASE(variables_are_followed),
        CASE(noise_inside_words_is_taken_away),
        CASE(what_looks_like_ascii_becomes_ascii),
        CASE(utf16_of_either_order_is_read),
        CASE(turned_text_is_turned_back),
        CASE(ranges_point_at_the_content),
        CASE(words_and_paths_are_not_taken_for_base64),
        CASE(a_program_in_it_is_noticed),
        CASE(more_layers_than_the_limit_are_incomplete),
        CASE(more_runs_than_the_limit_are_incomplete),
        CASE(a_bomb_ends_at_the_limit),
        CASE(no_time_is_late),
        CASE(what_does_not_parse_ends),
        CASE(broken_lines_do_no_harm),
    };

    return cmocka_run_group_tests(tests, group_set_up, NULL);
}

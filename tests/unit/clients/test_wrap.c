/* Wrapping of what the guard says: nothing is lost, nothing that fits is broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "clients/shell/wrap.h"
#include "testing.h"

static char *wrapped(unsigned columns, const char *label, const char *text)
{
    char *bytes = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&bytes, &n_bytes);

    assert_non_null(out);
    wrap_write(out, columns, label, text);
    assert_int_equal(fclose(out), 0);
    return bytes;
}

static void short_text_stays_on_one_line(void **state)
{
    CLEANUP(freep) char *text = wrapped(80, "Why:", "a b");

    assert_string_equal(text, "  Why:        a b\n");
}

static void words_that_do_not_fit_go_below_each_other(void **state)
{
    CLEANUP(freep) char *text = wrapped(20, "Why:", "abc def ghi");

    assert_string_equal(text, "  Why:        abc\n"
                              "              def\n"
                              "              ghi\n");
}

static void a_word_that_is_too_long_is_kept_whole(void **state)
{
    CLEANUP(freep) char *text = wrapped(16, "", "a abcdefgh");

    assert_string_equal(text, "              a\n"
                              "              abcdefgh\n");
}

static void characters_count_and_not_bytes(void **state)
{
    CLEANUP(freep) char *text = wrapped(18, "", "\xc3\xa4\xc3\xb6 \xc3\xbc");

    assert_string_equal(text, "              \xc3\xa4\xc3\xb6 \xc3\xbc\n");
}

static void line_breaks_are_kept(void **state)
{
    CLEANUP(freep) char *text = wrapped(80, "X:", "a\nb");

    assert_string_equal(text, "  X:          a\n"
                              "              b\n");
}

static void no_text_writes_nothing(void **state)
{
    CLEANUP(freep) char *text = wrapped(80, "X:", "");

    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_text_stays_on_one_line),
        cmocka_unit_test(words_that_do_not_fit_go_below_each_other),
        cmocka_unit_test(a_word_that_is_too_long_is_kept_whole),
        cmocka_unit_test(characters_count_and_not_bytes),
        cmocka_unit_test(line_breaks_are_kept),
        cmocka_unit_test(no_text_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

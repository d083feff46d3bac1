/* Numbers and foreign text for people. */
#include <stdlib.h>
#include <string.h>

#include "cli/human.h"
#include "testing.h"

static void durations_have_two_digits_below_ten_and_a_unit(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {-1, "0 ms"},          {0, "0 ms"},
        {0.0000001, "< 1 ms"}, {0.001, "1.0 ms"},
        {0.0041, "4.1 ms"},    {0.34, "340 ms"},
        {0.9994, "999 ms"},    {0.9996, "1.0 s"},
        {6.24, "6.2 s"},       {9.96, "10 s"},
        {59.4, "59 s"},        {59.9, "1 min 00 s"},
        {192, "3 min 12 s"},   {3599.6, "1 h 00 min"},
        {7500, "2 h 05 min"},  {86400 * 6 + 7200, "6 d 02 h"},
    };
    char text[HUMAN_BYTES];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(human_duration(text, cases[i].seconds), cases[i].text);
    }
}

static void a_quantile_of_too_few_is_a_dash(void **state)
{
    char text[HUMAN_BYTES];

    assert_string_equal(human_quantile(text, -1), "-");
    assert_string_equal(human_quantile(text, 0.01), "10 ms");
}

static void counts_have_separators_and_sizes_units(void **state)
{
    char text[HUMAN_BYTES];

    assert_string_equal(human_count(text, 0), "0");
    assert_string_equal(human_count(text, 999), "999");
    assert_string_equal(human_count(text, 48112), "48,112");
    assert_string_equal(human_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(human_size(text, 1023), "1023 bytes");
    assert_string_equal(human_size(text, 1024), "1.0 KiB");
    assert_string_equal(human_size(text, 100u * 1024 * 1024), "100 MiB");
    assert_string_equal(human_size(text, UINT64_MAX), "16 EiB");
}

static void foreign_text_cannot_move_the_cursor(void **state)
{
    char *text = human_text_dup("a\n\x1b[2J\xff\xe2\x80\xae"
                                "b");

    assert_non_null(text);
    assert_string_equal(text, "a\\x0a\\x1b[2J\\xff\\u{202e}b");
    free(text);
}

static void names_become_words(void **state)
{
    char text[HUMAN_BYTES];

    assert_string_equal(human_words(text, "test_sample"), "test sample");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_two_digits_below_ten_and_a_unit),
        cmocka_unit_test(a_quantile_of_too_few_is_a_dash),
        cmocka_unit_test(counts_have_separators_and_sizes_units),
        cmocka_unit_test(foreign_text_cannot_move_the_cursor),
        cmocka_unit_test(names_become_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

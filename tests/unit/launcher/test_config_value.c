/* Values are read strictly, and a wrong one is told with its range. */
#include <string.h>

#include "launcher/config_value.h"
#include "testing.h"

static char why[CONFIG_VALUE_TEXT_BYTES_MAX];

static void a_count_has_digits_only(void **state)
{
    static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1.0", "one"};
    uint64_t value = 7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(config_value_count(bad[i], 0, 10, &value, why), CONFIG_VALUE_E_BAD);
        assert_string_equal(why, "give a whole number, from 0 to 10");
        assert_int_equal(value, 7);
    }
    assert_int_equal(config_value_count("18446744073709551615", 0, UINT64_MAX, &value, why), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(config_value_count("18446744073709551616", 0, UINT64_MAX, &value, why),
                     CONFIG_VALUE_E_BAD);
}

static void both_ends_of_a_range_are_inside(void **state)
{
    uint64_t value;

    assert_int_equal(config_value_count("3", 3, 5, &value, why), 0);
    assert_int_equal(config_value_count("5", 3, 5, &value, why), 0);
    assert_int_equal(config_value_count("2", 3, 5, &value, why), CONFIG_VALUE_E_BAD);
    assert_string_equal(why, "out of range; it goes from 3 to 5");
    assert_int_equal(config_value_count("6", 3, 5, &value, why), CONFIG_VALUE_E_BAD);
}

static void sizes_know_binary_units_and_bare_bytes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"17", 17},
        {"17 B", 17},
        {"1KiB", 1024},
        {"2 MiB", 2 << 20},
        {"3  GiB", 3ull << 30},
        {"4TiB", 4ull << 40},
    };
    static const char *const bad[] = {"1KB", "1 kib", "1K", "MiB", "1 MiB.", "16777216TiB"};
    uint64_t value;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(config_value_size(good[i].text, 0, UINT64_MAX, &value, why), 0);
        assert_true(value == good[i].bytes);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(config_value_size(bad[i], 0, 1 << 20, &value, why), CONFIG_VALUE_E_BAD);
        assert_string_equal(why, "give a size such as \"100 MiB\", from 0 B to 1 MiB");
    }
}

static void durations_want_a_unit(void **state)
{
    uint64_t value;

    assert_int_equal(config_value_duration("800 ms", 0, 1000, &value, why), 0);
    assert_int_equal(value, 800);
    assert_int_equal(config_value_duration("2s", 0, 10000, &value, why), 0);
    assert_int_equal(value, 2000);
    assert_int_equal(config_value_duration("3 min", 0, 1000000, &value, why), 0);
    assert_int_equal(value, 180000);
    assert_int_equal(config_value_duration("5", 10, 90000, &value, why), CONFIG_VALUE_E_BAD);
    assert_string_equal(why, "give a time such as \"800 ms\", from 10 ms to 90 s");
    assert_int_equal(config_value_duration("307445734561826min", 0, UINT64_MAX, &value, why),
                     CONFIG_VALUE_E_BAD);
}

static void yes_and_no_have_three_words_each(void **state)
{
    static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};
    uint64_t value;

    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(config_value_bool(words[i], &value, why), 0);
        assert_int_equal(value, i % 2);
    }
    assert_int_equal(config_value_bool("Yes", &value, why), CONFIG_VALUE_E_BAD);
    assert_int_equal(config_value_bool("", &value, why), CONFIG_VALUE_E_BAD);
}

static void a_providers_name_is_short_and_plain(void **state)
{
    static const char *const good[] = {"a", "eicar", "A-b_c.1", "0",
                                       "01234567890123456789012345678901"};
    static const char *const bad[] = {
        "", ".a", "-a", "a b", "a/b", "\xc3\xa9", "a\n", "..", "012345678901234567890123456789012"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(config_value_is_name(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(config_value_is_name(bad[i]));
    }
}

static void the_distance_of_words_counts_edits(void **state)
{
    char word[80];

    assert_int_equal(config_value_distance("mode", "mode"), 0);
    assert_int_equal(config_value_distance("mode", "moed"), 2);
    assert_int_equal(config_value_distance("", "abc"), 3);
    assert_int_equal(config_value_distance("kitten", "sitting"), 3);
    memset(word, 'a', sizeof(word));
    word[79] = '\0';
    assert_int_equal(config_value_distance(word, "a"), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_has_digits_only),
        cmocka_unit_test(both_ends_of_a_range_are_inside),
        cmocka_unit_test(sizes_know_binary_units_and_bare_bytes),
        cmocka_unit_test(durations_want_a_unit),
        cmocka_unit_test(yes_and_no_have_three_words_each),
        cmocka_unit_test(a_providers_name_is_short_and_plain),
        cmocka_unit_test(the_distance_of_words_counts_edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* References: short, distinct, and without letters that are taken for others. */
#include <string.h>

#include "base/reference.h"
#include "random.h"
#include "testing.h"

static void references_look_as_people_know_them(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {
        {0, "0000-00"},
        {31, "0000-0Z"},
        {32, "0000-10"},
        {UINT64_C(0x3fffffff), "ZZZZ-ZZ"},
        {UINT64_C(0x40000000), "1000-000"},
        {UINT64_C(0xffffffffff), "ZZZZ-ZZZZ"},
        {UINT64_C(0x10000000000), "1000-0000-0"},
        {UINT64_MAX, "FZZZ-ZZZZ-ZZZZZ"},
    };
    char text[REFERENCE_BYTES];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reference_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* Reads it back, which proves that two values never share a reference. */
static uint64_t parse(const char *text)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t value = 0;

    for (; *text; text++) {
        if (*text != '-') {
            const char *digit = strchr(alphabet, *text);

            assert_non_null(digit);
            value = value << 5 | (uint64_t)(digit - alphabet);
        }
    }
    return value;
}

static void every_value_can_be_read_back(void **state)
{
    uint64_t seed = 1;
    char text[REFERENCE_BYTES];

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t value = random_next(&seed) >> random_below(&seed, 64);

        reference_format(value, text);
        assert_true(strlen(text) < REFERENCE_BYTES);
        assert_true(parse(text) == value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_look_as_people_know_them),
        cmocka_unit_test(every_value_can_be_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

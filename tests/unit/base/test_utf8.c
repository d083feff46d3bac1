/* UTF-8: every character there is, and every form that is none. */
#include <string.h>

#include "base/utf8.h"
#include "testing.h"

static size_t encode(uint32_t code, unsigned char ret_bytes[4])
{
    if (code < 0x80) {
        ret_bytes[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_bytes[0] = (unsigned char)(0xc0 | code >> 6);
        ret_bytes[1] = (unsigned char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        ret_bytes[0] = (unsigned char)(0xe0 | code >> 12);
        ret_bytes[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        ret_bytes[2] = (unsigned char)(0x80 | (code & 0x3f));
        return 3;
    }
    ret_bytes[0] = (unsigned char)(0xf0 | code >> 18);
    ret_bytes[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
    ret_bytes[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
    ret_bytes[3] = (unsigned char)(0x80 | (code & 0x3f));
    return 4;
}

static void every_character_is_decoded_and_no_surrogate(void **state)
{
    for (uint32_t code = 0; code < 0x120000; code++) {
        unsigned char bytes[4];
        size_t n = encode(code, bytes);
        uint32_t got = 0;

        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            assert_int_equal(utf8_decode(bytes, n, &got), 0);
        } else {
            assert_int_equal(utf8_decode(bytes, n, &got), n);
            assert_int_equal(got, code);
            assert_int_equal(utf8_decode(bytes, n - 1, &got), 0);
        }
    }
}

static void forms_that_are_no_character_are_refused(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* continuation alone */
        "\xbf\x80",         /* the same */
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong */
        "\xc3\x28",         /* continuation missing */
        "\xe0\x80\xaf",     /* overlong slash */
        "\xe0\x9f\xbf",     /* overlong */
        "\xe2\x28\xa1",     /* second byte wrong */
        "\xe2\x82\x28",     /* third byte wrong */
        "\xed\xa0\x80",     /* surrogate */
        "\xed\xbf\xbf",     /* surrogate */
        "\xf0\x80\x80\xaf", /* overlong slash */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80", /* the same */
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    uint32_t code;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &code), 0);
    }
    assert_int_equal(utf8_decode("", 0, &code), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_decoded_and_no_surrogate),
        cmocka_unit_test(forms_that_are_no_character_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

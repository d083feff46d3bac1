/* Decoding what hides in a command line. */
#include <string.h>

#include "providers/yara/decode.h"
#include "testing.h"

static char text[DECODE_BYTES_MAX + 1];

static const char *decoded(enum decode_form form, const char *content)
{
    size_t n = decode_near(form, (const uint8_t *)content, strlen(content), strlen(content),
                           (uint8_t *)text, DECODE_BYTES_MAX);

    text[n] = '\0';
    return text;
}

static void base64_in_a_command_is_decoded(void **state)
{
    assert_string_equal(decoded(DECODE_BASE64, "echo ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo= | base64 -d"),
                        "echo hello from a test\n");
}

static void base64_without_padding_is_decoded(void **state)
{
    assert_string_equal(decoded(DECODE_BASE64, "x='ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA'"),
                        "echo hello from a test");
}

static void a_longer_run_that_is_noise_does_not_hide_a_shorter_one_that_is_text(void **state)
{
    assert_string_equal(
        decoded(DECODE_BASE64,
                "/usr/local/share/very/long/path/of/letters/and/slashes/that/goes/on "
                "ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA=="),
        "echo hello from a test");
}

static void utf16_of_powershell_is_narrowed(void **state)
{
    assert_string_equal(
        decoded(DECODE_BASE64, "powershell -enc ZQBjAGgAbwAgAGgAZQBsAGwAbwAgAHcAbwByAGwAZAA="),
        "echo hello world");
}

static void hexadecimal_digits_are_decoded(void **state)
{
    assert_string_equal(decoded(DECODE_HEX, "echo 6563686f2068656c6c6f | xxd -r -p | sh"),
                        "echo hello");
}

static void hexadecimal_escapes_are_decoded(void **state)
{
    assert_string_equal(
        decoded(DECODE_HEX, "printf '\\x65\\x63\\x68\\x6f\\x20\\x68\\x65\\x6c\\x6c\\x6f' | sh"),
        "echo hello");
}

static void short_runs_and_noise_come_to_nothing(void **state)
{
    assert_string_equal(decoded(DECODE_BASE64, "echo aGVsbG8= | base64 -d"), "");
    assert_string_equal(decoded(DECODE_BASE64, "////////////////////////////////"), "");
    assert_string_equal(decoded(DECODE_BASE64, ""), "");
    assert_string_equal(decoded(DECODE_HEX, "00010203040506070809"), "");
    assert_string_equal(decoded(DECODE_NOTHING, "ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo="), "");
}

/* Shown to a person later: what is not text must not get that far. */
static void control_characters_are_never_let_through(void **state)
{
    /* "echo hello\x1b[31mred and more" */
    assert_string_equal(decoded(DECODE_BASE64, "ZWNobyBoZWxsbxtbMzFtcmVkIGFuZCBtb3Jl"), "");
}

static void text_longer_than_the_limit_is_cut_at_a_character(void **state)
{
    char content[4000];
    size_t n;

    for (size_t i = 0; i < sizeof(content) - 4; i += 4) {
        memcpy(content + i, "4oKs", 4); /* the euro sign, three bytes */
    }
    n = decode_near(DECODE_BASE64, (const uint8_t *)content, sizeof(content) - 4,
                    sizeof(content) - 4, (uint8_t *)text, DECODE_BYTES_MAX);
    assert_int_equal(n, DECODE_BYTES_MAX / 3 * 3);
}

static void many_runs_of_rising_length_are_all_considered(void **state)
{
    char content[4096];
    size_t n = 0;

    for (size_t i = 0; i < 40; i++) {
        memset(content + n, 'A', 16 + i);
        n += 16 + i;
        content[n++] = ' ';
    }
    strcpy(content + n,
           "ZWNobyBoZWxsbyBmcm9tIGEgdGVzdCB0aGF0IGlzIG11Y2ggbG9uZ2VyIHRoYW4gdGhlIG90aGVycw==");
    assert_string_equal(decoded(DECODE_BASE64, content),
                        "echo hello from a test that is much longer than the others");
}

/* Whoever wrote the line chose its decoys, so no choice of ours may let one stand for the rest. */
static void a_longer_decoy_does_not_take_the_place_of_what_is_run(void **state)
{
    assert_string_equal(decoded(DECODE_BASE64, "echo ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA== | base64 -d "
                                               "| sh # dGhpcyBkb2VzIG5vdGhpbmcgYXQgYWxsLCBpdCBp"
                                               "cyBqdXN0IGEgY29tbWVudA=="),
                        "echo hello from a test\nthis does nothing at all, it is just a comment");
}

static void what_stands_far_behind_the_match_is_left_out(void **state)
{
    char content[] =
        "echo ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA== | base64 -d | sh                         "
        "                                                  dGhpcyBkb2VzIG5vdGhpbmcgYXQ";
    size_t n = decode_near(DECODE_BASE64, (const uint8_t *)content, strlen(content), 54,
                           (uint8_t *)text, DECODE_BYTES_MAX);

    text[n] = '\0';
    assert_string_equal(text, "echo hello from a test");
}

static void that_there_are_more_than_are_shown_is_said(void **state)
{
    char content[1024] = "dGhpcyBkb2VzIG5vdGhpbmcgYXQ= ";

    for (size_t i = 0; i < 8; i++) {
        strcat(content, "ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA== ");
    }
    assert_memory_equal(decoded(DECODE_BASE64, content), "...\necho hello from a test\n", 27);
    assert_null(strstr(text, "nothing"));
}

static void the_room_is_shared(void **state)
{
    char content[4000];
    size_t n = 0;

    for (; n < 3000; n += 4) {
        memcpy(content + n, "QUFB", 4);
    }
    strcpy(content + n, " | ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA==");
    assert_non_null(strstr(decoded(DECODE_BASE64, content), "A\necho hello from a test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_in_a_command_is_decoded),
        cmocka_unit_test(base64_without_padding_is_decoded),
        cmocka_unit_test(a_longer_run_that_is_noise_does_not_hide_a_shorter_one_that_is_text),
        cmocka_unit_test(utf16_of_powershell_is_narrowed),
        cmocka_unit_test(hexadecimal_digits_are_decoded),
        cmocka_unit_test(hexadecimal_escapes_are_decoded),
        cmocka_unit_test(short_runs_and_noise_come_to_nothing),
        cmocka_unit_test(control_characters_are_never_let_through),
        cmocka_unit_test(text_longer_than_the_limit_is_cut_at_a_character),
        cmocka_unit_test(many_runs_of_rising_length_are_all_considered),
        cmocka_unit_test(a_longer_decoy_does_not_take_the_place_of_what_is_run),
        cmocka_unit_test(what_stands_far_behind_the_match_is_left_out),
        cmocka_unit_test(that_there_are_more_than_are_shown_is_said),
        cmocka_unit_test(the_room_is_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* pes.conf: every mistake is told with its line and what to write instead, and nothing is taken. */
#include <stdio.h>
#include <string.h>

#include "launcher/config_main.h"
#include "launcher/config_text.h"
#include "testing.h"

/* A text and every line that it must give, in order, without the file's name. */
struct bad_case {
    const char *text;
    const char *problems;
};

static const struct bad_case bad_cases[] = {
    /* values */
    {"mode = loud", ":1: mode = 'loud': give observe, warn or enforce\n"},
    {"mode = none", ":1: mode = 'none': give observe, warn or enforce\n"},
    {"mode = ENFORCE", ":1: mode = 'ENFORCE': give observe, warn or enforce\n"},
    {"mode = \"\"", ":1: mode = '': give observe, warn or enforce\n"},
    {"fail-execution = block", ":1: fail-execution = 'block': give allow, warn or deny\n"},
    {"fail-other = 1", ":1: fail-other = '1': give allow, warn or deny\n"},
    {"\n\nmax-content = 100MB",
     ":3: max-content = '100MB': give a size such as \"100 MiB\", from 64 KiB to 4 GiB\n"},
    {"max-content = 0", ":1: max-content = '0': out of range; it goes from 64 KiB to 4 GiB\n"},
    {"max-content = -1",
     ":1: max-content = '-1': give a size such as \"100 MiB\", from 64 KiB to 4 GiB\n"},
    {"max-content = \"5 GiB\"",
     ":1: max-content = '5 GiB': out of range; it goes from 64 KiB to 4 GiB\n"},
    {"max-content = 99999999999999999999",
     ":1: max-content = '99999999999999999999': give a size such as \"100 MiB\", from 64 KiB to 4 "
     "GiB\n"},
    {"max-content = 18446744073709551615TiB",
     ":1: max-content = '18446744073709551615TiB': give a size such as \"100 MiB\", from 64 KiB "
     "to 4 GiB\n"},
    {"max-content = \"MiB\"",
     ":1: max-content = 'MiB': give a size such as \"100 MiB\", from 64 KiB to 4 GiB\n"},
    {"max-content = \"1.5 MiB\"",
     ":1: max-content = '1.5 MiB': give a size such as \"100 MiB\", from 64 KiB to 4 GiB\n"},
    {"max-content = \"100 MiB \"",
     ":1: max-content = '100 MiB ': give a size such as \"100 MiB\", from 64 KiB to 4 GiB\n"},
    {"max-bytes-per-uid = 1", ":1: max-bytes-per-uid = '1': out of range; it goes from 1 MiB to "
                              "1 TiB\n"},
    {"max-bytes-per-uid = 2MiB\nmax-content = 3MiB",
     ":1: max-bytes-per-uid is less than max-content, so that nobody could ask about the largest "
     "content; raise it\n"},
    {"max-sessions-per-uid = 0",
     ":1: max-sessions-per-uid = '0': out of range; it goes from 1 to 4096\n"},
    {"max-sessions-per-uid = 64k",
     ":1: max-sessions-per-uid = '64k': give a whole number, from 1 to 4096\n"},
    {"max-sessions-per-uid = 0x40",
     ":1: max-sessions-per-uid = '0x40': give a whole number, from 1 to 4096\n"},
    {"max-in-flight-per-uid = 65537",
     ":1: max-in-flight-per-uid = '65537': out of range; it goes from 1 to 65536\n"},
    {"default-timeout = 5",
     ":1: default-timeout = '5': give a time such as \"800 ms\", from 10 ms to 10 min\n"},
    {"default-timeout = \"9 ms\"",
     ":1: default-timeout = '9 ms': out of range; it goes from 10 ms to 10 min\n"},
    {"default-timeout = \"11 min\"",
     ":1: default-timeout = '11 min': out of range; it goes from 10 ms to 10 min\n"},
    {"default-timeout = \"2 seconds\"",
     ":1: default-timeout = '2 seconds': give a time such as \"800 ms\", from 10 ms to 10 min\n"},
    {"allow-unsigned = maybe", ":1: allow-unsigned = 'maybe': give true or false\n"},
    {"min-tier = 3", ":1: min-tier = '3': out of range; it goes from 0 to 2\n"},
    {"allow-unsigned = 1", ":1: allow-unsigned = '1': give true or false\n"},
    /* keys */
    {"moed = warn", ":1: unknown key 'moed'; did you mean 'mode'?\n"},
    {"# a comment\n\n/* and\n another */ moed = warn",
     ":4: unknown key 'moed'; did you mean 'mode'?\n"},
    {"Mode = warn", ":1: unknown key 'Mode'; did you mean 'mode'?\n"},
    {"max_content = 1MiB", ":1: unknown key 'max_content'; did you mean 'max-content'?\n"},
    {"something = else", ":1: unknown key 'something'; see docs/configuration.md\n"},
    {"user { broker = 3 }", ":1: unknown key 'user'; did you mean 'users'?\n"},
    {"rules \"x\" {\n kind = url\n}\nmode = x", ":1: unknown key 'rules'; did you mean 'rule'?\n"
                                                ":4: mode = 'x': give observe, warn or enforce\n"},
    {"include(\"/etc/shadow\")",
     ":1: include is not supported; put everything into this file\n"
     ":1: unexpected token '('; write KEY = VALUE or SECTION { ... }; the rest of this file was "
     "not read\n"},
    {"include = x", ":1: include is not supported; put everything into this file\n"},
    {"mode = warn\nmode = enforce", ":2: mode stands twice; remove one\n"},
    {"mode = warn\nmode = warn\nmode = warn",
     ":2: mode stands twice; remove one\n:3: mode stands twice; remove one\n"},
    {"module = x", ":1: unknown key 'module'; did you mean 'mode'?\n"},
    {"a = 1\nb = { 1, 2 }\nmode = x\nc { d = 3 }\nfail-other = x",
     ":1: unknown key 'a'; see docs/configuration.md\n"
     ":2: unknown key 'b'; see docs/configuration.md\n"
     ":3: mode = 'x': give observe, warn or enforce\n"
     ":4: unknown key 'c'; see docs/configuration.md\n"
     ":5: fail-other = 'x': give allow, warn or deny\n"},
    {"\"odd key\" = 1\nmode = x", ":1: unknown key 'odd key'; see docs/configuration.md\n"
                                  ":2: mode = 'x': give observe, warn or enforce\n"},
    {"\xc3\xa9t\xc3\xa9 = 1", ":1: unknown key '\xc3\xa9t\xc3\xa9'; see docs/configuration.md\n"},
    /* syntax */
    {"mode", ":1: premature end of file; write KEY = VALUE or SECTION { ... }; the rest of this "
             "file was not read\n"},
    {"mode =", ":1: premature end of file; write KEY = VALUE or SECTION { ... }; the rest of this "
               "file was not read\n"},
    {"mode warn", ":1: missing equal sign after option 'mode'; write KEY = VALUE or SECTION { ... "
                  "}; the rest of this file was not read\n"},
    {"= warn", ":1: unexpected token '='; write KEY = VALUE or SECTION { ... }; the rest of this "
               "file was not read\n"},
    {"mode = { warn }", ":1: unexpected token '{'; write KEY = VALUE or SECTION { ... }; the rest "
                        "of this file was not read\n"},
    {"users = 3", ":1: missing opening brace for section 'users'; write KEY = VALUE or SECTION { "
                  "... }; the rest of this file was not read\n"},
    {"\"\" = x", ":1: is not KEY = VALUE; the rest of this file was not read\n"},
    {"mode = warn }", ":1: this brace closes nothing; remove it\n"},
    {"users {\n broker = 3\n", ":1: this brace is never closed; add a }\n"},
    {"mode = \"warn\nfail-other = deny", ":1: this string is not closed on its line\n"},
    {"mode = 'warn", ":1: this string is not closed on its line\n"},
    {"mode = warn\n/* the rest", ":2: this comment is never closed; end it with */\n"},
    {"rule \"x\" { kind = script.* mode = enforce }",
     ":1: a * outside quotes; put the value in quotes\n"},
    {"mode += warn", ":1: a + outside quotes; put the value in quotes\n"},
    {"mode = \"wa\\x72n\"", ":1: a backslash in a string; only \\\" and \\\\ are known\n"},
    {"mode = \"${HOME}\"", ":1: a variable in a string; write its value, or use single quotes\n"},
    {"mode = ${HOME}", ":1: a variable; write its value\n"},
    {"a { b { c { d { e { f { g { h { i { } } } } } } } } }", ":1: braces are nested too deeply\n"},
    /* bytes */
    {"mode = w\xff", ":1: holds a byte that is not UTF-8; save the file as UTF-8\n"},
    {"mode = w\xed\xa0\x80", ":1: holds a byte that is not UTF-8; save the file as UTF-8\n"},
    {"mode = warn\r\nfail-other = deny\r\n",
     ":1: holds a carriage return; save the file with Unix line ends\n"
     ":2: holds a carriage return; save the file with Unix line ends\n"},
    {"mode = \x1b[31mwarn", ":1: holds a control character; remove it\n"},
    {"\xef\xbb\xbfmode = warn", ":1: holds a byte order mark; save the file without\n"},
    {"mode = '\xe2\x80\xaewarn'", ":1: mode = '\\u{202e}warn': give observe, warn or enforce\n"},
    /* rules */
    {"rule \"x\" { kind = scripts mode = warn }",
     ":1: kind = 'scripts': no such kind; `pes kinds` lists them, \"PREFIX.*\" takes a group, "
     "every kind is meant without this line\n"},
    {"rule \"x\" { kind = \"*\" mode = warn }",
     ":1: kind = '*': no such kind; `pes kinds` lists them, \"PREFIX.*\" takes a group, every "
     "kind is meant without this line\n"},
    {"rule \"x\" { kind = none mode = warn }",
     ":1: kind = 'none': no such kind; `pes kinds` lists them, \"PREFIX.*\" takes a group, every "
     "kind is meant without this line\n"},
    {"rule \"x\" { kind = \"scr*\" mode = warn }",
     ":1: kind = 'scr*': no such kind; `pes kinds` lists them, \"PREFIX.*\" takes a group, every "
     "kind is meant without this line\n"},
    {"rule \"x\" { kind = url }", ":1: rule 'x' changes nothing; set mode or fail\n"},
    {"rule \"x\" { mode = warn }",
     ":1: rule 'x' has neither kind nor app; set one, or set the mode and fail-* of all at the "
     "top\n"},
    {"rule \"x\" { }", ":1: rule 'x' changes nothing; set mode or fail\n"
                       ":1: rule 'x' has neither kind nor app; set one, or set the mode and "
                       "fail-* of all at the top\n"},
    {"rule \"x\" { app = bin/sh fail = deny }",
     ":1: app: give the program file's path from the root, or its name alone\n"},
    {"rule \"x\" { app = \"\" fail = deny kind = url }",
     ":1: app = '': is empty; give a value or remove the line\n"},
    {"rule \"x\" { kind = url fail = deny }\nrule \"x\" { kind = url mode = warn }",
     ":2: a rule with this title stands above; rename one\n"},
    {"rule \"x\" {\n kind = url\n fail = deny\n fail = warn\n}",
     ":4: fail stands twice; remove one\n"},
    {"rule \"x\" {\n kind = url\n fial = deny\n mode = warn\n}\nmode = x",
     ":3: unknown key 'fial'; did you mean 'fail'?\n"
     ":6: mode = 'x': give observe, warn or enforce\n"},
    {"rule { kind = url mode = warn }",
     ":1: missing title for section 'rule'; write KEY = VALUE or SECTION { ... }; the rest of "
     "this file was not read\n"},
    {"rule \"x\" { kind = url mode = warn\n rule \"y\" { kind = url mode = warn } }",
     ":2: unknown key 'rule'; see docs/configuration.md\n"},
    /* users */
    {"users { broker = \"\" }", ":1: broker = '': is empty; give a value or remove the line\n"},
    {"users { broker = 3 broker = 4 }", ":1: broker stands twice; remove one\n"},
    {"users { broker = 3 }\nusers { identity = 4 }", ":2: section users stands twice; join them\n"},
    {"users { provider-base = 0 }",
     ":1: provider-base = '0': out of range; it goes from 1 to 4294967248\n"},
    {"users { provider-base = nobody }",
     ":1: provider-base = 'nobody': give a whole number, from 1 to 4294967248\n"},
    {"users { providers = 3 }", ":1: unknown key 'providers'; see docs/configuration.md\n"},
    {"users { broker = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }",
     ":1: broker = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': is longer than 32 bytes; shorten it\n"},
};

static void parse(struct config *config, const char *bytes, size_t n, struct problems *problems)
{
    char *text = malloc(n + 1);

    assert_non_null(text);
    memcpy(text, bytes, n);
    text[n] = '\0';
    config_init(config);
    problems->n = 0;
    assert_int_equal(config_main_parse(config, "F", text, n, problems), 0);
    free(text);
}

static size_t n_wrong;

static void check_case(const struct bad_case *c)
{
    static struct problems problems;
    char got[4096] = "";
    size_t n_got = 0;
    struct config config;

    parse(&config, c->text, strlen(c->text), &problems);
    for (size_t i = 0; i < problems_n_kept(&problems); i++) {
        assert_memory_equal(problems.lines[i], "F", 1);
        n_got += (size_t)snprintf(got + n_got, sizeof(got) - n_got, "%s\n", problems.lines[i] + 1);
    }
    if (strcmp(got, c->problems) != 0) {
        print_error("text: %s\nwanted: %sgot: %s", c->text, c->problems, got);
    }
    n_wrong += strcmp(got, c->problems) != 0;
    config_main_fini(&config);
}

static void every_mistake_is_told_with_its_line_and_its_remedy(void **state)
{
    assert_true(sizeof(bad_cases) / sizeof(bad_cases[0]) >= 60);
    for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
        check_case(&bad_cases[i]);
    }
    assert_int_equal(n_wrong, 0);
}

static void a_nul_byte_is_refused_where_it_stands(void **state)
{
    static const char text[] = "mode = warn\nfail-other\0 = deny\n";
    static struct problems problems;
    struct config config;

    parse(&config, text, sizeof(text) - 1, &problems);
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.lines[0], "F:2: holds a NUL byte; remove it");
    config_main_fini(&config);
}

static void a_text_over_the_limit_is_refused(void **state)
{
    static char text[CONFIG_FILE_BYTES_MAX + 1];
    static struct problems problems;
    struct config config;

    memset(text, '\n', sizeof(text));
    parse(&config, text, sizeof(text) - 1, &problems);
    assert_int_equal(problems.n, 0);
    parse(&config, text, sizeof(text), &problems);
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.lines[0], "F: is larger than 64 KiB; no configuration needs that");
    config_main_fini(&config);
}

static void a_file_of_nothing_but_mistakes_is_told_in_bounds(void **state)
{
    static char text[CONFIG_FILE_BYTES_MAX];
    static struct problems problems;
    struct config config;
    size_t n = 0;

    for (int i = 0; i < 1000; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "mode = x%d\n", i);
    }
    parse(&config, text, n, &problems);
    assert_int_equal(problems_n_kept(&problems), PROBLEMS_MAX);
    assert_true(problems.n >= 1000);
    config_main_fini(&config);
}

static void an_empty_file_leaves_every_default(void **state)
{
    static struct problems problems;
    struct config config;

    parse(&config, "", 0, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(config.mode, PES_MODE_OBSERVE);
    assert_int_equal(config.fail_execution, PES_FAIL_WISH_WARN);
    assert_int_equal(config.fail_other, PES_FAIL_WISH_ALLOW);
    assert_int_equal(config.max_content_bytes, 100 << 20);
    assert_int_equal(config.max_sessions_per_uid, 64);
    assert_int_equal(config.max_in_flight_per_uid, 256);
    assert_int_equal(config.max_bytes_per_uid, 256 << 20);
    assert_false(config.allows_unsigned);
    config_main_fini(&config);
}

static void every_key_is_taken_in_every_way_of_writing(void **state)
{
    static const char text[] = "# comment = loud\n"
                               "mode = enforce # yes\n"
                               "fail-execution=deny fail-other = \"warn\"\n"
                               "max-content = \"1 GiB\" // comment\n"
                               "max-bytes-per-uid = '2 GiB'\n"
                               "max-sessions-per-uid = 1\n"
                               "max-in-flight-per-uid = 65536 /* comment\n"
                               "mode = x */ default-timeout = 2s\n"
                               "allow-unsigned = on min-tier = 2\n"
                               "users { broker = 64001\n identity = \"someone\" receiver=64003\n"
                               "provider-base = 64016 }\n"
                               "rule \"scripts\" { kind = \"script.*\" mode = enforce }\n"
                               "rule 'bash # not a comment' { app = bash fail = deny }\n"
                               "rule third { kind = url app = \"a b\" mode = warn fail = allow }\n";
    static struct problems problems;
    struct config config;

    parse(&config, text, sizeof(text) - 1, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(config.mode, PES_MODE_ENFORCE);
    assert_int_equal(config.fail_execution, PES_FAIL_WISH_DENY);
    assert_int_equal(config.fail_other, PES_FAIL_WISH_WARN);
    assert_int_equal(config.max_content_bytes, 1u << 30);
    assert_int_equal(config.max_bytes_per_uid, 2u << 30);
    assert_int_equal(config.max_sessions_per_uid, 1);
    assert_int_equal(config.max_in_flight_per_uid, 65536);
    assert_int_equal(config.default_timeout_ms, 2000);
    assert_true(config.allows_unsigned);
    assert_int_equal(config.min_tier, 2);
    assert_string_equal(config.broker.text, "64001");
    assert_string_equal(config.identity.text, "someone");
    assert_int_equal(config.provider_base, 64016);
    assert_int_equal(config.n_rules, 3);
    assert_string_equal(config.rules[0].kind, "script.*");
    assert_null(config.rules[0].app);
    assert_int_equal(config.rules[0].mode, PES_MODE_ENFORCE);
    assert_int_equal(config.rules[0].fail, PES_FAIL_WISH_NONE);
    assert_string_equal(config.rules[1].app, "bash");
    assert_string_equal(config.rules[2].app, "a b");
    assert_int_equal(config.rules[2].fail, PES_FAIL_WISH_ALLOW);
    config_main_fini(&config);
}

static void as_many_rules_as_a_message_holds_are_taken_and_no_more(void **state)
{
    static char text[CONFIG_FILE_BYTES_MAX];
    static struct problems problems;
    struct config config;
    size_t n = 0;

    for (int i = 0; i < CONFIG_RULES_MAX; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "rule \"r%d\" { kind = url mode = warn }\n", i);
    }
    parse(&config, text, n, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(config.n_rules, CONFIG_RULES_MAX);
    config_main_fini(&config);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "rule more { kind = url mode = warn }\n");
    parse(&config, text, n, &problems);
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.lines[0], "F:65: more than 64 rules; join some");
    config_main_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_told_with_its_line_and_its_remedy),
        cmocka_unit_test(a_nul_byte_is_refused_where_it_stands),
        cmocka_unit_test(a_text_over_the_limit_is_refused),
        cmocka_unit_test(a_file_of_nothing_but_mistakes_is_told_in_bounds),
        cmocka_unit_test(an_empty_file_leaves_every_default),
        cmocka_unit_test(every_key_is_taken_in_every_way_of_writing),
        cmocka_unit_test(as_many_rules_as_a_message_holds_are_taken_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

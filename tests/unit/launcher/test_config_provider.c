/* providers.d/NAME.conf: every key, every mistake. */
#include <stdio.h>
#include <string.h>

#include "launcher/config_provider.h"
#include "testing.h"

struct bad_case {
    const char *text;
    const char *problems; /* every line, without the file's name */
};

#define M "module=m "

static const struct bad_case bad_cases[] = {
    {"", ": no module is given; add module = \"NAME.so\"\n"},
    {"module = \"\"", ":1: module = '': is empty; give a value or remove the line\n"},
    {"module = ../x.so", ":1: a relative path with '..'; give an absolute one\n"},
    {"module = a/../x.so", ":1: a relative path with '..'; give an absolute one\n"},
    {M "definitions = ..", ":1: a relative path with '..'; give an absolute one\n"},
    {M "definitions = \"a:b:c:d:e:f:g:h:i\"", ":1: definitions: 9 paths, at most 8 may be given\n"},
    {M "definitions = \"a::b\"", ":1: definitions: there is nothing before or after a ':'\n"},
    {M "definitions = \":a\"", ":1: definitions: there is nothing before or after a ':'\n"},
    {M "definitions = \"a:\"", ":1: definitions: there is nothing before or after a ':'\n"},
    {M "load-timeout = \"2 h\"",
     ":1: load-timeout = '2 h': give a time such as \"800 ms\", from 100 ms to 60 min\n"},
    {M "name = \"a b\"", ":1: name: give letters, digits, '.', '_' and '-', at most 32, first a "
                         "letter or digit\n"},
    {M "workers = 0", ":1: workers = '0': out of range; it goes from 1 to 16\n"},
    {M "workers = 17", ":1: workers = '17': out of range; it goes from 1 to 16\n"},
    {M "workers = two", ":1: workers = 'two': give a whole number, from 1 to 16\n"},
    {M "timeout = 2", ":1: timeout = '2': give a time such as \"800 ms\", from 10 ms to 10 min\n"},
    {M "timeout = \"1 h\"",
     ":1: timeout = '1 h': give a time such as \"800 ms\", from 10 ms to 10 min\n"},
    {M "mode = off", ":1: mode = 'off': give observe, warn or enforce\n"},
    {M "enabled = maybe", ":1: enabled = 'maybe': give true or false\n"},
    {M "advisory = 2", ":1: advisory = '2': give true or false\n"},
    {M "memory-mib = 15", ":1: memory-mib = '15': out of range; it goes from 16 to 65536\n"},
    {M "memory-mib = \"1 GiB\"",
     ":1: memory-mib = '1 GiB': give a whole number, from 16 to 65536\n"},
    {M "scans-per-worker = 1000001",
     ":1: scans-per-worker = '1000001': out of range; it goes from 0 to 1000000\n"},
    {M "worker = 3", ":1: unknown key 'worker'; did you mean 'workers'?\n"},
    {M "users { broker = 1 }", ":1: unknown key 'users'; see docs/configuration.md\n"},
    {M "options = { \"x\" }", ":1: options = 'x': write each entry as \"KEY=VALUE\"\n"},
    {M "options = { \"=x\" }", ":1: options = '=x': write each entry as \"KEY=VALUE\"\n"},
    {M "options = { \"a=1\", \"b=1\", \"a=2\" }",
     ":1: options = 'a=2': is given twice; remove one\n"},
    {M "options = { \"a=1\" }\noptions = { \"b=1\" }",
     ":2: options stands twice; put all entries into one { ... }\n"},
    {M "options = { \"a=1\", \"b=2\" }\noptions = { \"b=1\" }",
     ":2: options stands twice; put all entries into one { ... }\n"},
    {M "module = n", ":1: module stands twice; remove one\n"},
    {M "options { a = b }",
     ":1: missing equal sign after option 'options'; write KEY = VALUE or SECTION { ... }; the "
     "rest of this file was not read\n"},
};

static void parse(struct config_provider *provider, const char *file, const char *from,
                  struct problems *problems)
{
    char *text = strdup(from);

    assert_non_null(text);
    config_provider_init(provider);
    problems->n = 0;
    assert_int_equal(config_provider_parse(provider, file, text, strlen(text), problems), 0);
    free(text);
}

static void every_mistake_is_told_with_its_line_and_its_remedy(void **state)
{
    static struct problems problems;
    struct config_provider provider;

    for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
        char got[2048] = "";
        size_t n_got = 0;

        parse(&provider, "F", bad_cases[i].text, &problems);
        for (size_t j = 0; j < problems_n_kept(&problems); j++) {
            n_got +=
                (size_t)snprintf(got + n_got, sizeof(got) - n_got, "%s\n", problems.lines[j] + 1);
        }
        assert_string_equal(got, bad_cases[i].problems);
        config_provider_fini(&provider);
    }
}

static void every_key_is_taken(void **state)
{
    static struct problems problems;
    struct config_provider provider;

    parse(&provider, "/etc/pes/providers.d/file.conf",
          "name = other\nmodule = \"/a/b.so\"\ndefinitions = sub/folder\nworkers = 16\n"
          "timeout = \"250 ms\"\nmode = warn\nenabled = no\nadvisory = yes\noptional = "
          "yes\nmemory-mib = 1024\n"
          "scratch-mib = 64\nscans-per-worker = 5\noptions = {\"only=a\", 'text=b c=d', "
          "\"empty=\"}\n",
          &problems);
    assert_int_equal(problems.n, 0);
    assert_string_equal(provider.name, "other");
    assert_string_equal(provider.file, "/etc/pes/providers.d/file.conf");
    assert_string_equal(provider.module, "/a/b.so");
    assert_string_equal(provider.definitions, "sub/folder");
    assert_int_equal(provider.n_workers, 16);
    assert_int_equal(provider.timeout_ms, 250);
    assert_int_equal(provider.mode, PES_MODE_WARN);
    assert_false(provider.is_enabled);
    assert_true(provider.is_advisory);
    assert_true(provider.is_optional);
    assert_int_equal(provider.memory_mib, 1024);
    assert_int_equal(provider.scratch_mib, 64);
    assert_int_equal(provider.scans_per_worker, 5);
    assert_int_equal(provider.options.n, 3);
    assert_string_equal(provider.options.items[1], "text=b c=d");
    assert_string_equal(provider.options.items[2], "empty=");
    config_provider_fini(&provider);
}

static void what_is_left_out_has_its_default(void **state)
{
    static struct problems problems;
    struct config_provider provider;

    parse(&provider, "x/eicar.conf", "module = eicar.so", &problems);
    assert_int_equal(problems.n, 0);
    assert_string_equal(provider.name, "eicar");
    assert_null(provider.definitions);
    assert_int_equal(provider.n_workers, 2);
    assert_true(provider.is_enabled);
    assert_int_equal(provider.mode, PES_MODE_NONE);
    assert_int_equal(provider.timeout_ms, 0);
    config_provider_fini(&provider);
}

static void a_file_whose_name_is_no_name_needs_one(void **state)
{
    static struct problems problems;
    struct config_provider provider;

    parse(&provider, "x/a b.conf", "module = m", &problems);
    assert_int_equal(problems.n, 1);
    config_provider_fini(&provider);
    parse(&provider, "x/a b.conf", "module = m name = ab", &problems);
    assert_int_equal(problems.n, 0);
    assert_string_equal(provider.name, "ab");
    config_provider_fini(&provider);
}

static void relative_paths_lie_below_their_folders(void **state)
{
    static struct problems problems;
    struct config_provider provider;
    struct paths paths = {.providers = "/nowhere/providers", .share = "/"};

    parse(&provider, "x/a.conf", "module = m.so definitions = dev/null", &problems);
    assert_int_equal(config_provider_resolve(&provider, &paths, &problems), 0);
    assert_string_equal(provider.module, "/nowhere/providers/m.so");
    assert_string_equal(provider.definitions, "//dev/null");
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.lines[0], "x/a.conf:1: module '/nowhere/providers/m.so': No such "
                                           "file or directory");
    config_provider_fini(&provider);
}

static void each_path_of_a_row_is_resolved_and_looked_at(void **state)
{
    static struct problems problems;
    struct config_provider provider;
    struct paths paths = {.providers = "/dev", .share = "/dev"};

    parse(&provider, "x/a.conf", "module = null definitions = \"zero:/dev/full:nothing\"",
          &problems);
    assert_int_equal(config_provider_resolve(&provider, &paths, &problems), 0);
    assert_string_equal(provider.definitions, "/dev/zero:/dev/full:/dev/nothing");
    assert_int_equal(problems.n, 2); /* and /dev/null is no regular file */
    assert_non_null(strstr(problems.lines[1], "x/a.conf:1: definitions '/dev/nothing'"));
    config_provider_fini(&provider);
}

static void what_is_switched_off_need_not_be_there(void **state)
{
    static struct problems problems;
    struct config_provider provider;
    struct paths paths = {.providers = "/nowhere", .share = "/nowhere"};

    parse(&provider, "x/a.conf", "module = m.so definitions = d enabled = off", &problems);
    assert_int_equal(config_provider_resolve(&provider, &paths, &problems), 0);
    assert_int_equal(problems.n, 0);
    config_provider_fini(&provider);
}

static void an_optional_module_that_is_not_there_is_off(void **state)
{
    static struct problems problems;
    struct config_provider provider;
    struct paths paths = {.providers = "/nowhere", .share = "/nowhere"};

    parse(&provider, "x/a.conf", "module = m.so definitions = d optional = yes", &problems);
    assert_int_equal(config_provider_resolve(&provider, &paths, &problems), 0);
    assert_int_equal(problems.n, 0);
    assert_false(provider.is_enabled);
    config_provider_fini(&provider);
    /* One that is there and cannot be used is a mistake all the same. */
    parse(&provider, "x/a.conf", "module = \"/dev/null\" optional = yes", &problems);
    assert_int_equal(config_provider_resolve(&provider, &paths, &problems), 0);
    assert_int_equal(problems.n, 1);
    assert_true(provider.is_enabled);
    config_provider_fini(&provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_told_with_its_line_and_its_remedy),
        cmocka_unit_test(every_key_is_taken),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(a_file_whose_name_is_no_name_needs_one),
        cmocka_unit_test(relative_paths_lie_below_their_folders),
        cmocka_unit_test(each_path_of_a_row_is_resolved_and_looked_at),
        cmocka_unit_test(what_is_switched_off_need_not_be_there),
        cmocka_unit_test(an_optional_module_that_is_not_there_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Command line of pes-init: whole, or refused by name. */
#include <errno.h>
#include <string.h>

#include "init/init_options.h"
#include "testing.h"

static const char *fault;
static struct init_options options;

#define BASE                                                                                       \
    "pes-init", "--name", "n", "--launcher-fd", "3", "--broker-fd", "4", "--module-fd", "5",       \
        "--host", "/h"

static int parse(const char *const *args)
{
    char *argv[32];
    int argc = 0;

    while (args[argc]) {
        argv[argc] = (char *)(uintptr_t)args[argc];
        argc++;
    }
    argv[argc] = NULL;
    fault = NULL;
    return init_options_parse(&options, argc, argv, &fault);
}

static void a_whole_line_is_taken(void **state)
{
    const char *const args[] = {
        BASE, "--slots",       "64",   "--option",      "a=b",  "--option",
        "c=", "--uid",         "1000", "--gid",         "1001", "--memory-mib",
        "64", "--definitions", "/d",   "--scratch-mib", "8",    NULL};

    assert_int_equal(parse(args), 0);
    assert_string_equal(options.name, "n");
    assert_int_equal(options.launcher_fd, 3);
    assert_int_equal(options.n_slots, 64);
    assert_int_equal(options.n_settings, 2);
    assert_string_equal(options.settings[1], "c=");
    assert_true(options.has_uid);
    assert_int_equal(options.uid, 1000);
    assert_int_equal(options.gid, 1001);
    assert_int_equal(options.memory_mib, 64);
    assert_int_equal(options.scratch_mib, 8);
    assert_string_equal(options.definitions, "/d");
}

static void defaults_stand_where_nothing_is_said(void **state)
{
    const char *const args[] = {BASE, "--slots", "1", NULL};

    assert_int_equal(parse(args), 0);
    assert_int_equal(options.memory_mib, 512);
    assert_int_equal(options.scratch_mib, 0);
    assert_false(options.has_uid);
    assert_null(options.definitions);
}

static void every_fault_is_named(void **state)
{
    const char *const lines[][20] = {
        {BASE, NULL},
        {BASE, "--slots", "0", NULL},
        {BASE, "--slots", "65", NULL},
        {BASE, "--slots", "-1", NULL},
        {BASE, "--slots", "2x", NULL},
        {BASE, "--slots", "2", "--uid", "0", "--gid", "5", NULL},
        {BASE, "--slots", "2", "--uid", "5", NULL},
        {BASE, "--slots", "2", "--option", "novalue", NULL},
        {BASE, "--slots", "2", "--launcher-fd", "2", NULL},
        {BASE, "--slots", "2", "--unknown", NULL},
        {BASE, "--slots", "2", "extra", NULL},
        {"pes-init", NULL},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(lines[i]), -EINVAL);
        assert_non_null(fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_line_is_taken),
        cmocka_unit_test(defaults_stand_where_nothing_is_said),
        cmocka_unit_test(every_fault_is_named),
    };

    return cmocka_run_group_tests_name("init/init_options", tests, NULL, NULL);
}

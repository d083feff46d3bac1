/* The parts of an installation are found from the program's own place. */
#include <string.h>

#include "launcher/paths.h"
#include "testing.h"

static void a_tree_may_stand_anywhere(void **state)
{
    struct paths usr;
    struct paths moved;

    assert_int_equal(paths_init_from(&usr, "/usr/sbin/pesd"), 0);
    assert_int_equal(paths_init_from(&moved, "/tmp/a b/usr/sbin/pesd"), 0);
    assert_string_equal(usr.libexec, "/usr/libexec/pes");
    assert_string_equal(usr.share, "/usr/share/pes");
    assert_memory_equal(moved.libexec, "/tmp/a b/usr/", 13);
    assert_string_equal(moved.libexec + 8, usr.libexec);
    assert_string_equal(moved.providers + 8, usr.providers);
}

static void an_absolute_name_stays_and_another_is_put_below(void **state)
{
    char path[PATH_MAX];
    char name[PATH_MAX];

    assert_int_equal(paths_join(path, "/a/b", "/c"), 0);
    assert_string_equal(path, "/c");
    assert_int_equal(paths_join(path, "/a/b", "c/d"), 0);
    assert_string_equal(path, "/a/b/c/d");
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(paths_join(path, "/a", name), -ENAMETOOLONG);
}

static void our_own_place_is_known(void **state)
{
    struct paths paths;

    assert_int_equal(paths_init(&paths), 0);
    assert_int_equal(paths.libexec[0], '/');
    assert_null(strstr(paths.libexec, ".."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_may_stand_anywhere),
        cmocka_unit_test(an_absolute_name_stays_and_another_is_put_below),
        cmocka_unit_test(our_own_place_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

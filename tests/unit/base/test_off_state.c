/* What `pes off` wrote is believed exactly when nobody else can have written it, and has an end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/off_state.h"
#include "testing.h"

#define NOW 1000u

static char folder[] = "/tmp/pes-off.XXXXXX";
static char file[64];

static int set_up(void **state)
{
    strcpy(strrchr(folder, '.'), ".XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof(file), "%s/off", folder);
    return 0;
}

static int tear_down(void **state)
{
    unlink(file);
    return rmdir(folder);
}

static int parse(const char *text)
{
    struct off_state state;

    return off_state_parse(&state, text, strlen(text), NOW);
}

static void only_a_moment_that_is_near_is_taken(void **state)
{
    struct off_state got = {0};
    const char text[] = "until 1010\nuid 1000\n";

    assert_int_equal(off_state_parse(&got, text, strlen(text), NOW), 0);
    assert_int_equal(got.until_s, 1010);
    assert_int_equal(got.by_uid, 1000);
    assert_int_equal(parse("until 1000\nuid 0\n"), OFF_STATE_E_NONE);
    assert_int_equal(parse("until 0\nuid 0\n"), OFF_STATE_E_NONE);
    assert_int_equal(parse("until 87400\nuid 0\n"), 0);
    assert_int_equal(parse("until 87401\nuid 0\n"), OFF_STATE_E_REFUSED);
}

static void anything_else_is_refused(void **state)
{
    static const char good[] = "until 1010\nuid 1000\n";
    static const char *const bad[] = {
        "until 1010\nuid 0\n\n",
        "until 1010\nuid 0\nmore 1\n",
        "until -1\nuid 0\n",
        "until 1010\nuid 4294967296\n",
        "until 99999999999999999999\nuid 0\n",
        "until 18446744073709552626\nuid 0\n",
        "until \nuid 0\n",
        "uid 0\nuntil 1010\n",
        " until 1010\nuid 0\n",
        "until 1010 \nuid 0\n",
    };
    struct off_state got;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i]), OFF_STATE_E_REFUSED);
    }
    for (size_t n = 0; n < strlen(good); n++) {
        char *cut = strndup(good, n); /* so that reading beyond it is seen */

        assert_int_equal(off_state_parse(&got, cut, n, NOW), OFF_STATE_E_REFUSED);
        free(cut);
    }
}

static void what_is_stored_is_found_until_it_is_removed(void **state)
{
    struct off_state stored = {.until_s = off_state_now_s() + 100, .by_uid = 7};
    struct off_state got = {0};
    mode_t old = umask(0077);

    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_NONE);
    assert_int_equal(off_state_load(&got, "/nowhere"), OFF_STATE_E_NONE);
    assert_int_equal(off_state_remove(folder), OFF_STATE_E_NONE);
    assert_int_equal(off_state_store(folder, &stored), 0);
    stored.by_uid = 8;
    assert_int_equal(off_state_store(folder, &stored), 0);
    umask(old);
    assert_int_equal(off_state_load(&got, folder), 0);
    assert_int_equal(got.until_s, stored.until_s);
    assert_int_equal(got.by_uid, 8);
    assert_int_equal(off_state_remove(folder), 0);
    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_NONE);
    assert_true(off_state_store("/nowhere", &stored) < 0);
}

static void what_others_could_have_written_is_refused(void **state)
{
    struct off_state stored = {.until_s = off_state_now_s() + 100};
    struct off_state got;
    char other[80];

    assert_int_equal(off_state_store(folder, &stored), 0);
    assert_int_equal(chmod(folder, 01777), 0);
    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_REFUSED);
    assert_int_equal(off_state_store(folder, &stored), OFF_STATE_E_REFUSED);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(chmod(file, 0664), 0);
    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_REFUSED);
    assert_int_equal(chmod(file, 0644), 0);
    snprintf(other, sizeof(other), "%s/other", folder);
    assert_int_equal(link(file, other), 0);
    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_REFUSED);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink(other, file), 0);
    assert_true(off_state_load(&got, folder) < 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rename(other, file), 0);
    assert_int_equal(off_state_load(&got, folder), 0);
    if (geteuid() != 0) {
        skip_because("only root can give a file away");
    }
    assert_int_equal(chown(file, 65534, 65534), 0);
    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_REFUSED);
    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(chown(folder, 65534, 65534), 0);
    assert_int_equal(off_state_load(&got, folder), OFF_STATE_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_moment_that_is_near_is_taken),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test_setup_teardown(what_is_stored_is_found_until_it_is_removed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_others_could_have_written_is_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

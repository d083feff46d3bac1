/* Which definitions may find less, from the files beside their versions. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/acceptance.h"
#include "testing.h"

struct place {
    char root[64];
    char accepted[128]; /* a version with a mark */
    char other[128];    /* one without */
    char mark[160];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    char folder[96];

    assert_non_null(place);
    strcpy(place->root, "/tmp/pes-acceptance.XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(folder, sizeof(folder), "%s/versions", place->root);
    assert_int_equal(mkdir(folder, 0755), 0);
    snprintf(place->accepted, sizeof(place->accepted), "%s/a", folder);
    snprintf(place->other, sizeof(place->other), "%s/b", folder);
    snprintf(place->mark, sizeof(place->mark), "%s.accepted", place->accepted);
    assert_int_equal(close(open(place->mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)), 0);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", place->root);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void a_version_with_a_mark_is_accepted_and_so_is_a_file_in_it(void **state)
{
    const struct place *place = *state;
    char file[192];

    assert_true(acceptance_covers(place->accepted, NULL));
    assert_true(acceptance_covers(place->accepted, place->other));
    snprintf(file, sizeof(file), "%s/list", place->accepted);
    assert_true(acceptance_covers(file, place->other));
    assert_false(acceptance_covers(place->other, place->accepted));
    assert_false(acceptance_covers(place->root, NULL));
    assert_false(acceptance_covers(NULL, NULL));
}

static void what_serves_already_excuses_nothing(void **state)
{
    const struct place *place = *state;
    char both[320];

    assert_false(acceptance_covers(place->accepted, place->accepted)); /* a module has changed */
    snprintf(both, sizeof(both), "%s:%s", place->accepted, place->other);
    assert_false(acceptance_covers(both, place->accepted)); /* the other one is new */
    assert_true(acceptance_covers(both, place->other));
    assert_false(acceptance_covers(both, NULL));
    snprintf(both, sizeof(both), "%s0:%s", place->accepted, place->other);
    assert_true(acceptance_covers(place->accepted, both)); /* a longer name is another one */
}

static void a_mark_that_others_could_have_made_is_none(void **state)
{
    const struct place *place = *state;

    assert_int_equal(chmod(place->mark, 0666), 0);
    assert_false(acceptance_covers(place->accepted, NULL));
    assert_int_equal(unlink(place->mark), 0);
    assert_int_equal(symlink("/etc/passwd", place->mark), 0);
    assert_false(acceptance_covers(place->accepted, NULL));
    assert_int_equal(unlink(place->mark), 0);
    assert_int_equal(mkdir(place->mark, 0755), 0);
    assert_false(acceptance_covers(place->accepted, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_version_with_a_mark_is_accepted_and_so_is_a_file_in_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_serves_already_excuses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mark_that_others_could_have_made_is_none, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How many relays there may be. */
#include "receiver/relay_table.h"
#include "testing.h"

static struct relay_table table;

static void one_user_leaves_as_much_as_it_takes(void **state)
{
    table.n = 0;
    for (uint32_t i = 0; i < RELAY_TABLE_MAX / 2; i++) {
        assert_true(relay_table_has_room(&table, 1000));
        relay_table_add(&table, (pid_t)(100 + i), 1000);
    }
    assert_false(relay_table_has_room(&table, 1000));
    for (uint32_t i = 0; i < RELAY_TABLE_MAX / 4; i++) {
        assert_true(relay_table_has_room(&table, 1001));
        relay_table_add(&table, (pid_t)(RELAY_TABLE_MAX + i), 1001);
    }
    assert_false(relay_table_has_room(&table, 1001));
    assert_true(relay_table_has_room(&table, 1002));
    for (uint32_t i = 0; i < RELAY_TABLE_MAX / 2; i++) {
        relay_table_remove(&table, (pid_t)(100 + i));
    }
    assert_true(relay_table_has_room(&table, 1000));
    assert_true(relay_table_has_room(&table, 1001));
}

static void there_is_an_end_to_all_of_them(void **state)
{
    table.n = 0;
    for (uint32_t i = 0; i < RELAY_TABLE_MAX; i++) {
        assert_true(relay_table_has_room(&table, i));
        relay_table_add(&table, (pid_t)(100 + i), i);
    }
    assert_false(relay_table_has_room(&table, RELAY_TABLE_MAX));
    for (uint32_t i = 0; i < RELAY_TABLE_MAX; i++) {
        relay_table_remove(&table, (pid_t)(100 + i));
    }
    assert_int_equal(table.n, 0);
}

static void one_that_is_not_known_is_nothing(void **state)
{
    table.n = 0;
    relay_table_remove(&table, 5);
    relay_table_add(&table, 7, 1);
    relay_table_remove(&table, 5);
    assert_int_equal(table.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_user_leaves_as_much_as_it_takes),
        cmocka_unit_test(there_is_an_end_to_all_of_them),
        cmocka_unit_test(one_that_is_not_known_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

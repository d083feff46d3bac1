/* Nobody fills the log, and nobody's lines cost another's. */
#include "broker/client_log.h"
#include "testing.h"

/* Asks for so many lines at one moment; returns how many were granted. */
static unsigned ask(struct client_log *log, uint32_t uid, uint64_t now_us, unsigned n)
{
    unsigned n_granted = 0;
    uint32_t n_lost;

    for (unsigned i = 0; i < n; i++) {
        n_granted += client_log_may(log, uid, now_us, &n_lost);
    }
    return n_granted;
}

static void a_user_may_cause_so_many_lines_in_a_second(void **state)
{
    struct client_log log = {0};
    uint64_t now_us = 5;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&log, 1000, now_us, 1000), CLIENT_LOG_LINES);
        assert_int_equal(ask(&log, 1000, now_us + CLIENT_LOG_WINDOW_US - 1, 1), 0);
        now_us += CLIENT_LOG_WINDOW_US;
    }
}

static void what_was_left_out_is_told_with_the_next_line(void **state)
{
    struct client_log log = {0};
    uint32_t n_lost = 99;

    (void)state;
    assert_true(client_log_may(&log, 1000, 0, &n_lost));
    assert_int_equal(n_lost, 0);
    ask(&log, 1000, 10, CLIENT_LOG_LINES + 6);
    assert_true(client_log_may(&log, 1000, CLIENT_LOG_WINDOW_US, &n_lost));
    assert_int_equal(n_lost, 7);
    assert_true(client_log_may(&log, 1000, 2 * CLIENT_LOG_WINDOW_US, &n_lost));
    assert_int_equal(n_lost, 0);
}

static void one_user_s_lines_cost_another_nothing(void **state)
{
    struct client_log log = {0};

    (void)state;
    ask(&log, 1000, 0, 1000);
    assert_int_equal(ask(&log, 1001, 0, 3), 3);
    assert_int_equal(ask(&log, 0, 0, 3), 3); /* uid 0 is a user like any other here */
}

static void many_users_together_are_bounded_too(void **state)
{
    struct client_log log = {0};
    unsigned n = 0;

    (void)state;
    for (uint32_t uid = 0; uid < 100000; uid++) {
        n += ask(&log, uid, 0, 20);
    }
    assert_int_equal(n, (CLIENT_LOG_USERS + 1) * CLIENT_LOG_LINES);
}

static void a_quiet_user_gives_the_row_away(void **state)
{
    struct client_log log = {0};

    (void)state;
    for (uint32_t uid = 0; uid < CLIENT_LOG_USERS; uid++) {
        assert_int_equal(ask(&log, uid, 0, 1), 1);
    }
    ask(&log, 5000, 0, CLIENT_LOG_LINES); /* shares the last row with 5001 */
    assert_int_equal(ask(&log, 5001, 0, 1), 0);
    assert_int_equal(ask(&log, 5001, CLIENT_LOG_WINDOW_US, 100), CLIENT_LOG_LINES);
    assert_int_equal(ask(&log, 5002, CLIENT_LOG_WINDOW_US, 100), CLIENT_LOG_LINES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_may_cause_so_many_lines_in_a_second),
        cmocka_unit_test(what_was_left_out_is_told_with_the_next_line),
        cmocka_unit_test(one_user_s_lines_cost_another_nothing),
        cmocka_unit_test(many_users_together_are_bounded_too),
        cmocka_unit_test(a_quiet_user_gives_the_row_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Descriptors in a client's socket are given back when it must have read them, never before. */
#include "broker/lent_tally.h"
#include "testing.h"

static void one_is_settled_when_it_must_have_been_read(void **state)
{
    struct lent_tally tally = {0};

    (void)state;
    assert_false(lent_tally_is_open(&tally));
    lent_tally_add(&tally, false);
    lent_tally_add(&tally, true);
    lent_tally_add(&tally, false);
    assert_true(lent_tally_is_open(&tally));
    assert_int_equal(lent_tally_settle(&tally, 2), 0);
    assert_int_equal(lent_tally_settle(&tally, SIZE_MAX), 0);
    assert_int_equal(lent_tally_settle(&tally, 1), 1);
    assert_false(lent_tally_is_open(&tally));
    assert_int_equal(lent_tally_settle(&tally, 0), 0);
}

static void a_client_that_always_has_one_unread_gets_there(void **state)
{
    struct lent_tally tally = {0};
    size_t n_settled = 0;

    (void)state;
    for (size_t i = 1; i <= 1000; i++) {
        lent_tally_add(&tally, true);
        n_settled += lent_tally_settle(&tally, 1);
        assert_true(n_settled < i);
        assert_true(i - n_settled <= 3);
    }
}

/* Against a list of every message: what is given back has been read. */
static void never_more_is_settled_than_was_read(void **state)
{
    struct lent_tally tally = {0};
    static bool has_fd[10000];
    size_t n_sent = 0, n_read = 0, n_fds_read = 0, n_settled = 0;
    uint32_t dice = 1;

    (void)state;
    while (n_sent < 10000) {
        dice = dice * 1664525u + 1013904223u;
        if (dice >> 30) {
            has_fd[n_sent] = dice >> 28 & 1;
            lent_tally_add(&tally, has_fd[n_sent++]);
        } else {
            for (size_t n = dice >> 20 & 7; n > 0 && n_read < n_sent; n--) {
                n_fds_read += has_fd[n_read++];
            }
        }
        n_settled += lent_tally_settle(&tally, n_sent - n_read + (dice >> 10 & 3));
        assert_true(n_settled <= n_fds_read);
    }
    for (; n_read < n_sent; n_read++) {
        n_fds_read += has_fd[n_read];
    }
    n_settled += lent_tally_settle(&tally, 0);
    assert_int_equal(n_settled, n_fds_read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_settled_when_it_must_have_been_read),
        cmocka_unit_test(a_client_that_always_has_one_unread_gets_there),
        cmocka_unit_test(never_more_is_settled_than_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

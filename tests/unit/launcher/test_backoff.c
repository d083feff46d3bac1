/* Waits between restarts: doubled, capped, with a little chance; the first five are free. */
#include "launcher/backoff.h"
#include "testing.h"

static void v21_the_wait_doubles_up_to_a_minute(void **state)
{
    static const uint32_t wanted[] = {100,  200,   400,   800,   1600,  3200,
                                      6400, 12800, 25600, 51200, 60000, 60000};

    for (uint32_t n = 1; n <= sizeof(wanted) / sizeof(wanted[0]); n++) {
        assert_int_equal(backoff_delay_ms(n, 200), wanted[n - 1]);
    }
    assert_int_equal(backoff_delay_ms(UINT32_MAX, 200), 60000);
    assert_int_equal(backoff_delay_ms(0, 200), 100);
}

static void v21_chance_moves_it_by_a_fifth_at_most(void **state)
{
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;

    for (uint32_t random = 0; random < 10000; random++) {
        uint32_t delay = backoff_delay_ms(4, random * 2654435761u);

        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_int_equal(least, 640);
    assert_int_equal(most, 960);
}

static void five_starts_in_ten_seconds_are_free(void **state)
{
    struct backoff_window window = {0};
    const uint64_t second = 1000000;

    for (uint64_t n = 0; n < 5; n++) {
        assert_int_equal(backoff_window_wait_us(&window, 100 * second + n * second), 0);
        backoff_window_add(&window, 100 * second + n * second);
    }
    assert_int_equal(backoff_window_wait_us(&window, 104 * second), 6 * second);
    assert_int_equal(backoff_window_wait_us(&window, 110 * second - 1), 1);
    assert_int_equal(backoff_window_wait_us(&window, 110 * second), 0);
    backoff_window_add(&window, 110 * second);
    assert_int_equal(backoff_window_wait_us(&window, 110 * second), second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v21_the_wait_doubles_up_to_a_minute),
        cmocka_unit_test(v21_chance_moves_it_by_a_fifth_at_most),
        cmocka_unit_test(five_starts_in_ten_seconds_are_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Names of signals, compared with libc's. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/signal_name.h"
#include "testing.h"

static void every_signal_has_the_name_that_libc_gives_it(void **state)
{
    for (int signo = 1; signo < 32; signo++) {
        char wanted[32];

        /* SIGPOLL is another name of SIGIO. */
        snprintf(wanted, sizeof(wanted), "SIG%s", signo == SIGIO ? "IO" : sigabbrev_np(signo));
        assert_string_equal(signal_name(signo), wanted);
    }
}

static void what_is_no_signal_has_a_name_that_says_so(void **state)
{
    static const int none[] = {-1, 0, 32, 65, 1000, -2147483647 - 1, 2147483647};

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_string_equal(signal_name(none[i]), "SIG?");
    }
    assert_string_equal(signal_name(SIGRTMIN), "SIGRT");
    assert_string_equal(signal_name(SIGRTMAX), "SIGRT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_has_the_name_that_libc_gives_it),
        cmocka_unit_test(what_is_no_signal_has_a_name_that_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPEC 6: broker and client library fold dispositions alike, also those of the future. */
#include "broker/policy.h"
#include "client/fold.h"
#include "testing.h"

static void both_ends_fold_alike(void **state)
{
    (void)state;
    for (uint32_t disposition = 0; disposition < 40; disposition++) {
        for (uint32_t can = 0; can < 16; can++) {
            assert_int_equal(fold(disposition, can), policy_fold(disposition, can));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_fold_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

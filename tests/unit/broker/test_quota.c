/* Charges add up, limits hold, and one user cannot take what others need. */
#include "broker/quota.h"
#include "random.h"
#include "testing.h"

static void a_charge_over_the_limit_changes_nothing(void **state)
{
    struct quota quota;
    struct quota_charge charge = QUOTA_CHARGE_INIT;

    (void)state;
    quota_init(&quota);
    quota.limit[QUOTA_BYTES] = 100;
    assert_int_equal(quota_charge(&charge, &quota, 1, QUOTA_BYTES, 60), 0);
    assert_int_equal(quota_charge(&charge, &quota, 1, QUOTA_BYTES, 41), QUOTA_E_EXCEEDED);
    assert_int_equal(charge.amount, 60);
    assert_int_equal(quota_charge(&charge, &quota, 1, QUOTA_BYTES, 40), 0);
    assert_int_equal(quota.total[QUOTA_BYTES], 100);
    quota_credit(&charge, 50);
    assert_int_equal(quota.total[QUOTA_BYTES], 50);
    quota_charge_fini(&charge);
    assert_int_equal(quota.total[QUOTA_BYTES], 0);
    quota_fini(&quota);
}

static void an_amount_near_the_end_of_numbers_does_not_wrap(void **state)
{
    struct quota quota;
    struct quota_charge charge = QUOTA_CHARGE_INIT;

    (void)state;
    quota_init(&quota);
    quota.limit[QUOTA_BYTES] = 100;
    assert_int_equal(quota_charge(&charge, &quota, 1, QUOTA_BYTES, 50), 0);
    assert_int_equal(quota_charge(&charge, &quota, 1, QUOTA_BYTES, UINT64_MAX - 10),
                     QUOTA_E_EXCEEDED);
    quota_charge_fini(&charge);
    quota_fini(&quota);
}

static void one_user_leaves_room_for_others(void **state)
{
    struct quota quota;
    struct quota_charge first = QUOTA_CHARGE_INIT, second = QUOTA_CHARGE_INIT;
    uint64_t n = 0;

    (void)state;
    quota_init(&quota);
    quota.total_limit[QUOTA_BYTES] = 1000;
    while (quota_charge(&first, &quota, 1, QUOTA_BYTES, 10) == 0) {
        n += 10;
    }
    assert_in_range(n, 400, 600);
    assert_int_equal(quota_charge(&second, &quota, 2, QUOTA_BYTES, 100), 0);
    quota_charge_fini(&first);
    quota_charge_fini(&second);
    quota_fini(&quota);
}

static void totals_are_the_sums_of_all_charges_whatever_happens(void **state)
{
    struct quota quota;
    struct quota_charge charges[50] = {0};
    uint64_t seed = 7;

    (void)state;
    quota_init(&quota);
    quota.limit[QUOTA_QUESTIONS] = 500;
    for (int i = 0; i < 20000; i++) {
        size_t which = random_below(&seed, 50);
        uint64_t amount = random_below(&seed, 40), total = 0;

        switch (random_below(&seed, 3)) {
        case 0:
            (void)!quota_charge(&charges[which], &quota, (uint32_t)(which % 5), QUOTA_QUESTIONS,
                                amount);
            break;
        case 1:
            quota_credit(&charges[which], charges[which].amount / 2);
            break;
        default:
            quota_charge_fini(&charges[which]);
            break;
        }
        for (size_t j = 0; j < 50; j++) {
            total += charges[j].amount;
        }
        assert_int_equal(total, quota.total[QUOTA_QUESTIONS]);
    }
    for (size_t j = 0; j < 50; j++) {
        quota_charge_fini(&charges[j]);
    }
    quota_fini(&quota); /* stops the program if a user is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_charge_over_the_limit_changes_nothing),
        cmocka_unit_test(an_amount_near_the_end_of_numbers_does_not_wrap),
        cmocka_unit_test(one_user_leaves_room_for_others),
        cmocka_unit_test(totals_are_the_sums_of_all_charges_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

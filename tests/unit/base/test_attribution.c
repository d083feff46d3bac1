/* Attribution: the sums against brute force over the schedules that they came from. */
#include <math.h>
#include <string.h>

#include "base/attribution.h"
#include "random.h"
#include "testing.h"

#define N_PROVIDERS 5u
#define N_SUBSETS   (1u << N_PROVIDERS)
#define N_SCANS     300u

/* When each provider answered, per scan. */
static uint64_t finish_us[N_SCANS][N_PROVIDERS];

/* One scan, charged as the broker does: on every answer, to those who were missing until then. */
static void charge_scan(struct attribution *table, const uint64_t *finish, unsigned n_providers)
{
    uint64_t mask = (UINT64_C(1) << n_providers) - 1;
    uint64_t last = 0;

    while (mask) {
        uint64_t next = UINT64_MAX;

        for (unsigned i = 0; i < n_providers; i++) {
            if ((mask >> i & 1) && finish[i] < next) {
                next = finish[i];
            }
        }
        attribution_add(table, mask, next - last);
        last = next;
        for (unsigned i = 0; i < n_providers; i++) {
            if (finish[i] <= next) {
                mask &= ~(UINT64_C(1) << i);
            }
        }
    }
}

static void make_schedules(struct attribution *table)
{
    uint64_t seed = 5;

    for (unsigned s = 0; s < N_SCANS; s++) {
        for (unsigned i = 0; i < N_PROVIDERS; i++) {
            /* Ties too. */
            finish_us[s][i] = random_below(&seed, 4) ? random_below(&seed, 1000000) : 5000;
        }
        charge_scan(table, finish_us[s], N_PROVIDERS);
    }
}

/* The wait of all scans if only the providers of `mask` had been asked. */
static uint64_t wait_with(unsigned mask)
{
    uint64_t sum = 0;

    for (unsigned s = 0; s < N_SCANS; s++) {
        uint64_t wait = 0;

        for (unsigned i = 0; i < N_PROVIDERS; i++) {
            if ((mask >> i & 1) && finish_us[s][i] > wait) {
                wait = finish_us[s][i];
            }
        }
        sum += wait;
    }
    return sum;
}

static void every_subset_saves_what_leaving_it_out_would_have(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;

    make_schedules(&table);
    for (unsigned mask = 0; mask < N_SUBSETS; mask++) {
        assert_int_equal(attribution_saved_us(table.sets, table.n, mask),
                         wait_with(N_SUBSETS - 1) - wait_with(N_SUBSETS - 1 - mask));
    }
    assert_int_equal(attribution_total_us(table.sets, table.n), wait_with(N_SUBSETS - 1));
}

/* Sums, over all orders in which the rest can come, what `order[at]` adds to those before it. */
static void visit_orders(unsigned *order, unsigned at, double sums[N_PROVIDERS])
{
    if (at == N_PROVIDERS) {
        unsigned mask = 0;

        for (unsigned i = 0; i < N_PROVIDERS; i++) {
            uint64_t before = wait_with(mask);

            mask |= 1u << order[i];
            sums[order[i]] += (double)(wait_with(mask) - before);
        }
        return;
    }
    for (unsigned i = at; i < N_PROVIDERS; i++) {
        unsigned kept = order[at];

        order[at] = order[i];
        order[i] = kept;
        visit_orders(order, at + 1, sums);
        order[i] = order[at];
        order[at] = kept;
    }
}

static void the_share_is_the_shapley_value_over_all_orders(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;
    unsigned order[N_PROVIDERS] = {0, 1, 2, 3, 4};
    double sums[N_PROVIDERS] = {0};

    make_schedules(&table);
    visit_orders(order, 0, sums);
    for (unsigned i = 0; i < N_PROVIDERS; i++) {
        double shapley = sums[i] / 120;

        assert_true(fabs(attribution_share_us(table.sets, table.n, i) - shapley) <= 1e-6 * shapley);
    }
}

static void check_invariants(const struct attribution *table)
{
    double shares = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        double share = attribution_share_us(table->sets, table->n, bit);
        uint64_t saved = attribution_saved_us(table->sets, table->n, UINT64_C(1) << bit);
        uint64_t busy = attribution_busy_us(table->sets, table->n, bit);

        assert_true((double)saved <= share * (1 + 1e-9));
        assert_true(share <= (double)busy * (1 + 1e-9));
        shares += share;
    }
    assert_true(fabs(shares - (double)attribution_total_us(table->sets, table->n)) <=
                1e-9 * shares);
}

static void shares_sum_to_the_total_between_saved_and_busy(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;

    make_schedules(&table);
    attribution_add(&table, ATTRIBUTION_BROKER, 12345);
    check_invariants(&table);
}

static void two_slow_providers_do_not_hide_behind_each_other(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;
    const uint64_t finish[2] = {10000000, 9900000};

    for (unsigned i = 0; i < 3; i++) {
        charge_scan(&table, finish, 2);
    }
    assert_int_equal(attribution_saved_us(table.sets, table.n, 1), 300000);
    assert_int_equal(attribution_saved_us(table.sets, table.n, 2), 0);
    assert_int_equal(attribution_saved_us(table.sets, table.n, 3), 30000000);
    assert_true(fabs(attribution_share_us(table.sets, table.n, 0) - 15150000) < 1);
    assert_true(fabs(attribution_share_us(table.sets, table.n, 1) - 14850000) < 1);
    check_invariants(&table);
}

static void a_full_table_keeps_the_total_exact(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;
    uint64_t seed = 17;
    uint64_t total = 0;
    uint64_t n_scans = 0;

    for (unsigned i = 1; i <= 1000; i++) {
        uint64_t us = random_below(&seed, 1000);

        attribution_add(&table, i, us);
        total += us;
    }
    assert_int_equal(table.n, ATTRIBUTION_SETS_MAX);
    assert_int_equal(attribution_total_us(table.sets, table.n), total);
    for (size_t i = 0; i < table.n; i++) {
        n_scans += table.sets[i].n_scans;
    }
    assert_int_equal(n_scans, 1000);
    check_invariants(&table);
}

static void the_set_of_everybody_is_kept_once_only(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;
    unsigned n_others = 0;

    attribution_add(&table, ATTRIBUTION_OTHER, 7);
    for (unsigned i = 1; i <= 300; i++) {
        attribution_add(&table, i, 1);
    }
    attribution_add(&table, ATTRIBUTION_OTHER, 7);
    for (size_t i = 0; i < table.n; i++) {
        n_others += table.sets[i].mask == ATTRIBUTION_OTHER;
    }
    assert_int_equal(n_others, 1);
    assert_true(table.n <= ATTRIBUTION_SETS_MAX);
    assert_int_equal(attribution_total_us(table.sets, table.n), 314);
}

static void time_while_nobody_was_missing_is_the_brokers_own(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;

    attribution_add(&table, 0, 40);
    attribution_add(&table, ATTRIBUTION_BROKER, 2);
    assert_int_equal(attribution_busy_us(table.sets, table.n, ATTRIBUTION_BROKER_BIT), 42);
    assert_int_equal(attribution_busy_us(table.sets, table.n, 64), 0);
}

static void merging_tables_is_the_same_as_one(void **state)
{
    struct attribution one = ATTRIBUTION_INIT, two = ATTRIBUTION_INIT, both = ATTRIBUTION_INIT;
    uint64_t seed = 19;

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t mask = 1 + random_below(&seed, 31);
        uint64_t us = random_below(&seed, 100);

        attribution_add(i % 2 ? &one : &two, mask, us);
        attribution_add(&both, mask, us);
    }
    attribution_merge(&one, two.sets, two.n);
    for (uint64_t mask = 0; mask < 32; mask++) {
        assert_int_equal(attribution_saved_us(one.sets, one.n, mask),
                         attribution_saved_us(both.sets, both.n, mask));
    }
}

static void whose_place_is_taken_leaves_the_others_figures_alone(void **state)
{
    struct attribution before = ATTRIBUTION_INIT, after;
    uint64_t seed = 23;

    for (unsigned i = 0; i < 1000; i++) {
        attribution_add(&before, 1 + random_below(&seed, 31), random_below(&seed, 100));
    }
    attribution_add(&before, ATTRIBUTION_BROKER, 7);
    attribution_add(&before, ATTRIBUTION_OTHER, 64);
    after = before;
    attribution_replace(&after, 2, ATTRIBUTION_BROKER_BIT);
    assert_int_equal(attribution_total_us(after.sets, after.n),
                     attribution_total_us(before.sets, before.n));
    assert_int_equal(attribution_busy_us(after.sets, after.n, 2), 64); /* only of everybody's */
    for (unsigned bit = 0; bit < 5; bit++) {
        if (bit != 2) {
            assert_true(fabs(attribution_share_us(after.sets, after.n, bit) -
                             attribution_share_us(before.sets, before.n, bit)) < 1e-3);
            assert_int_equal(attribution_saved_us(after.sets, after.n, 1u << bit),
                             attribution_saved_us(before.sets, before.n, 1u << bit));
        }
    }
}

static void sums_stop_at_the_largest_number(void **state)
{
    struct attribution table = ATTRIBUTION_INIT;

    attribution_add(&table, 1, UINT64_MAX);
    attribution_add(&table, 1, 2);
    attribution_add(&table, 3, 5);
    assert_true(attribution_total_us(table.sets, table.n) == UINT64_MAX);
    assert_true(attribution_busy_us(table.sets, table.n, 0) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subset_saves_what_leaving_it_out_would_have),
        cmocka_unit_test(the_share_is_the_shapley_value_over_all_orders),
        cmocka_unit_test(shares_sum_to_the_total_between_saved_and_busy),
        cmocka_unit_test(two_slow_providers_do_not_hide_behind_each_other),
        cmocka_unit_test(a_full_table_keeps_the_total_exact),
        cmocka_unit_test(the_set_of_everybody_is_kept_once_only),
        cmocka_unit_test(time_while_nobody_was_missing_is_the_brokers_own),
        cmocka_unit_test(merging_tables_is_the_same_as_one),
        cmocka_unit_test(whose_place_is_taken_leaves_the_others_figures_alone),
        cmocka_unit_test(sums_stop_at_the_largest_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

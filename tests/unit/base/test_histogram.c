/* Histogram: quantiles against exact ones, and packed forms from people who mean it badly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"
#include "random.h"
#include "testing.h"

#define N_SAMPLES 200000u

static double normal(uint64_t *seed)
{
    double u = 1 - random_unit(seed);
    double v = random_unit(seed);

    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void fill(struct histogram *histogram, uint64_t *samples, uint64_t seed, double median_us,
                 double sigma)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        samples[i] = (uint64_t)llround(median_us * exp(sigma * normal(&seed)));
        histogram_add(histogram, samples[i]);
    }
    qsort(samples, N_SAMPLES, sizeof(samples[0]), compare);
}

static void quantiles_are_within_five_percent_of_the_exact_ones(void **state)
{
    static const double medians[] = {60, 2500, 90000};
    static const double qs[] = {0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999};
    uint64_t *samples = calloc(N_SAMPLES, sizeof(*samples));

    assert_non_null(samples);
    for (size_t m = 0; m < 3; m++) {
        struct histogram histogram = HISTOGRAM_INIT;

        fill(&histogram, samples, 7 + m, medians[m], 1.2);
        for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
            double exact = (double)samples[(size_t)ceil(qs[i] * N_SAMPLES) - 1];
            double got = histogram_quantile_us(&histogram, qs[i]);
            /* Times are whole microseconds, which rounds the small ones. */
            double bound = 0.05 * exact + 0.5;

            if (fabs(got - exact) > bound) {
                fail_msg("q %g: exact %g, got %g", qs[i], exact, got);
            }
        }
        assert_int_equal(histogram.max_us, samples[N_SAMPLES - 1]);
        assert_int_equal(histogram.n, N_SAMPLES);
    }
    free(samples);
}

static void every_value_lies_within_the_limits_of_its_bucket(void **state)
{
    uint64_t seed = 3;

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t us = random_next(&seed) >> (34 + random_below(&seed, 30));
        struct histogram histogram = HISTOGRAM_INIT;
        size_t bucket = 0;
        double low, high;

        histogram_add(&histogram, us);
        while (histogram.weights[bucket] == 0) {
            bucket++;
        }
        histogram_bucket_us(bucket, &low, &high);
        assert_true(us == 0 || low < (double)us);
        assert_true((double)us <= high);
    }
}

static void too_few_samples_give_no_quantile(void **state)
{
    struct histogram histogram = HISTOGRAM_INIT;

    for (unsigned n = 0; n < 1001; n++) {
        assert_int_equal(histogram_quantile_us(&histogram, 0.5) >= 0, n >= 10);
        assert_int_equal(histogram_quantile_us(&histogram, 0.95) >= 0, n >= 100);
        assert_int_equal(histogram_quantile_us(&histogram, 0.99) >= 0, n >= 1000);
        histogram_add(&histogram, 5);
    }
    assert_true(histogram_quantile_us(&histogram, 0.999) < 0);
    assert_true(histogram_quantile_us(&histogram, -0.1) < 0);
    assert_true(histogram_quantile_us(&histogram, 1.1) < 0);
    assert_true(histogram_quantile_us(&histogram, NAN) < 0);
}

static void merging_is_the_same_as_adding_to_one(void **state)
{
    struct histogram one = HISTOGRAM_INIT, two = HISTOGRAM_INIT, both = HISTOGRAM_INIT;
    uint64_t seed = 9;

    for (unsigned i = 0; i < 5000; i++) {
        uint64_t us = random_below(&seed, 1 << (1 + i % 28));

        histogram_add(i % 3 ? &one : &two, us);
        histogram_add(&both, us);
    }
    histogram_merge(&one, &two);
    assert_memory_equal(&one, &both, sizeof(one));
}

static void zero_and_more_than_the_last_bucket_are_counted(void **state)
{
    struct histogram histogram = HISTOGRAM_INIT;

    for (unsigned i = 0; i < 10; i++) {
        histogram_add(&histogram, 0);
    }
    assert_true(histogram_quantile_us(&histogram, 0.5) == 0);
    for (unsigned i = 0; i < 100; i++) {
        histogram_add(&histogram, UINT64_MAX);
    }
    assert_int_equal(histogram.n, 110);
    assert_true(histogram.sum_us == UINT64_MAX);
    assert_true(histogram_quantile_us(&histogram, 0.5) == (double)UINT64_MAX);
}

static void a_full_bucket_halves_all_and_keeps_the_shape(void **state)
{
    struct histogram histogram = HISTOGRAM_INIT;
    const uint32_t full = (UINT32_C(1) << 28) - 1;

    for (unsigned i = 0; i < 1000; i++) {
        histogram_add(&histogram, 100);
    }
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram.weights[i] > 0) {
            histogram.weights[i] = full; /* as if there had been so many */
            histogram.n = full;
        }
    }
    histogram_add(&histogram, 100);
    histogram_add(&histogram, 100000);
    assert_int_equal(histogram.n, (uint64_t)full + 2);
    assert_true(fabs(histogram_quantile_us(&histogram, 0.5) - 100) <= 5);

    struct histogram twice = histogram;

    for (unsigned i = 0; i < 4; i++) {
        histogram_merge(&twice, &twice);
    }
    assert_int_equal(twice.n, 16 * histogram.n);
    assert_true(fabs(histogram_quantile_us(&twice, 0.99) - 100) <= 5);
}

static void packing_and_unpacking_gives_the_same(void **state)
{
    uint64_t seed = 11;

    for (unsigned round = 0; round < 500; round++) {
        struct histogram histogram = HISTOGRAM_INIT, again;
        uint8_t bytes[HISTOGRAM_PACK_BYTES_MAX];
        uint64_t n = random_below(&seed, 300);
        size_t n_bytes;

        for (uint64_t i = 0; i < n; i++) {
            histogram_add(&histogram, random_next(&seed) >> random_below(&seed, 64));
        }
        n_bytes = histogram_pack(&histogram, bytes, sizeof(bytes));
        assert_true(n_bytes > 0);
        assert_true(histogram_unpack(&again, bytes, n_bytes));
        assert_memory_equal(&again, &histogram, sizeof(again));
        assert_int_equal(histogram_pack(&histogram, bytes, n_bytes - 1), 0);
    }
}

static void the_worst_histogram_fits(void **state)
{
    struct histogram histogram = {.sum_us = UINT64_MAX, .max_us = UINT64_MAX, .n = UINT64_MAX};
    uint8_t bytes[HISTOGRAM_PACK_BYTES_MAX];
    struct histogram again;
    size_t n_bytes;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram.weights[i] = (UINT32_C(1) << 28) - 1;
    }
    n_bytes = histogram_pack(&histogram, bytes, sizeof(bytes));
    assert_int_equal(n_bytes, 3 * 10 + HISTOGRAM_BUCKETS * 4);
    assert_true(histogram_unpack(&again, bytes, n_bytes));
    assert_memory_equal(&again, &histogram, sizeof(again));
}

static void what_pack_would_not_write_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"", 0},                                 /* nothing */
        {"\x01\x01", 2},                         /* no maximum */
        {"\x01\x01\x01", 3},                     /* one sample, no bucket */
        {"\x00\x01\x00", 3},                     /* no sample, but a sum */
        {"\x00\x00\x00\x01", 4},                 /* no sample, but a bucket */
        {"\x01\x01\x01\x02", 4},                 /* more in buckets than in all */
        {"\x01\x01\x02\x01", 4},                 /* maximum above the sum */
        {"\x01\x01\x01\x81\x00", 5},             /* long form of 1 */
        {"\x01\x01\x01\x01\x00\x01", 6},         /* empty buckets at the end */
        {"\x01\x01\x01\x00\x00\x01", 6},         /* a gap of none */
        {"\x01\x01\x01\x00\x01\x00\x01\x01", 8}, /* two gaps in a row */
        {"\x01\x01\x01\x00\xf1\x01\x01", 7},     /* past the last bucket */
        {"\x01\x01\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01", 15}, /* far past it */
        {"\x01\x01\x01\x80\x80\x80\x80\x01", 8},                              /* weight of 2^28 */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x01\x01\x01", 13},     /* more than 64 bits */
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01\x01\x01", 14}, /* eleven bytes */
        {"\x01\x01\x01\x80", 4},                                          /* cut within a number */
    };
    struct histogram histogram;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (histogram_unpack(&histogram, bad[i].bytes, bad[i].n)) {
            fail_msg("bad form %zu was taken", i);
        }
    }
    assert_true(histogram_unpack(&histogram, "\x01\x01\x01\x00\xf0\x01\x01", 7));
}

static void whatever_bytes_are_taken_are_packed_the_same_again(void **state)
{
    uint64_t seed = 13;
    unsigned n_taken = 0;

    for (unsigned round = 0; round < 200000; round++) {
        struct histogram histogram = HISTOGRAM_INIT;
        uint8_t bytes[HISTOGRAM_PACK_BYTES_MAX], again[HISTOGRAM_PACK_BYTES_MAX];
        size_t n_bytes;

        for (unsigned i = 0; i < 5; i++) {
            histogram_add(&histogram, random_below(&seed, 100000));
        }
        n_bytes = histogram_pack(&histogram, bytes, sizeof(bytes));
        for (unsigned i = 0; i <= round % 3; i++) {
            bytes[random_below(&seed, n_bytes)] ^= (uint8_t)(1 << random_below(&seed, 8));
        }
        n_bytes -= random_below(&seed, 3);
        if (histogram_unpack(&histogram, bytes, n_bytes)) {
            assert_int_equal(histogram_pack(&histogram, again, sizeof(again)), n_bytes);
            assert_memory_equal(bytes, again, n_bytes);
            n_taken++;
        }
    }
    assert_true(n_taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_five_percent_of_the_exact_ones),
        cmocka_unit_test(every_value_lies_within_the_limits_of_its_bucket),
        cmocka_unit_test(too_few_samples_give_no_quantile),
        cmocka_unit_test(merging_is_the_same_as_adding_to_one),
        cmocka_unit_test(zero_and_more_than_the_last_bucket_are_counted),
        cmocka_unit_test(a_full_bucket_halves_all_and_keeps_the_shape),
        cmocka_unit_test(packing_and_unpacking_gives_the_same),
        cmocka_unit_test(the_worst_histogram_fits),
        cmocka_unit_test(what_pack_would_not_write_is_refused),
        cmocka_unit_test(whatever_bytes_are_taken_are_packed_the_same_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

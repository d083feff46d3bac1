/*
 * Latencies, counted in logarithmic buckets: eight per doubling, from 1 us to about 1000 s.
 *
 * A quantile read from it is at most 4.4 % off (the half of one bucket). Histograms of the same
 * thing may be merged; quantiles may not be averaged. No allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS        241
#define HISTOGRAM_PACK_BYTES_MAX 1024

struct histogram {
    uint64_t n;
    uint64_t sum_us;
    uint64_t max_us;
    uint32_t weights[HISTOGRAM_BUCKETS]; /* counts, all halved together when one gets too large */
};

#define HISTOGRAM_INIT ((struct histogram){0})

void histogram_add(struct histogram *histogram, uint64_t us);

void histogram_merge(struct histogram *histogram, const struct histogram *from);

/*
 * The value below which share `q` (0 .. 1) of all lie. Negative when there are too few to say: it
 * takes 10 up to the median, 100 up to 0.95, 1000 up to 0.99, 10000 beyond.
 */
double histogram_quantile_us(const struct histogram *histogram, double q);

/* The limits of bucket `bucket`: more than `ret_low_us`, up to `ret_high_us`. For drawing. */
void histogram_bucket_us(size_t bucket, double *ret_low_us, double *ret_high_us);

/*
 * Writes it as bytes (SPEC 8.2). Returns how many, at most HISTOGRAM_PACK_BYTES_MAX; 0 when they
 * are more than `n_buffer`.
 */
size_t histogram_pack(const struct histogram *histogram, void *buffer, size_t n_buffer);

/* Reads what histogram_pack() wrote. Returns false on anything else; `ret_histogram` is untouched
 * then. */
bool histogram_unpack(struct histogram *ret_histogram, const void *bytes, size_t n_bytes);

/*
 * Times that were measured.
 *
 * All are kept and sorted at the end: a benchmark has the memory, and its p99 should not have an
 * error of its own.
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void samples_fini(struct samples *samples)
{
    free(samples->us);
    *samples = SAMPLES_INIT;
}

void samples_add(struct samples *samples, double us)
{
    if (samples->n == samples->capacity) {
        size_t capacity = samples->capacity ? 2 * samples->capacity : 1024;
        double *grown = reallocarray(samples->us, capacity, sizeof(*grown));

        if (!grown) {
            fputs("bench: out of memory\n", stderr);
            exit(1);
        }
        samples->us = grown;
        samples->capacity = capacity;
    }
    samples->us[samples->n++] = us;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double samples_quantile(struct samples *samples, double q)
{
    size_t at;

    if (samples->n == 0) {
        return -1;
    }
    qsort(samples->us, samples->n, sizeof(samples->us[0]), compare);
    at = (size_t)(q * (double)samples->n);
    return samples->us[at < samples->n ? at : samples->n - 1];
}

double samples_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

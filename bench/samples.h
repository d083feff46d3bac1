/* Times that were measured, and what is read from them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct samples {
    double *us;
    size_t n;
    size_t capacity;
};

#define SAMPLES_INIT ((struct samples){0})

void samples_fini(struct samples *samples);

/* Adds one; ends the program when there is no memory. */
void samples_add(struct samples *samples, double us);

/* The exact quantile `q`; sorts them. -1 when there are none. */
double samples_quantile(struct samples *samples, double q);

/* Time, in us, that only grows. */
double samples_now_us(void);

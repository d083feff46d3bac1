/* How long to wait before starting again what keeps failing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BACKOFF_FIRST_MS   100u
#define BACKOFF_CAP_MS     60000u
#define BACKOFF_HEALTHY_US (60 * 1000000ull) /* after so long a life the count starts anew */

/* The wait after `n_failures` in a row (at least 1): 100 ms doubled each time, at most 60 s, then
 * 20 % more or less by `random`. */
uint32_t backoff_delay_ms(uint32_t n_failures, uint32_t random);

/* Restarts of something that should not have ended at all: the first ones are free. */
#define BACKOFF_FREE_STARTS    5u
#define BACKOFF_FREE_WINDOW_US (10 * 1000000ull)

struct backoff_window {
    uint64_t starts_us[BACKOFF_FREE_STARTS]; /* a ring of the last starts */
    size_t next;
};

/* Time to wait before a start at `now_us`: 0 for the first five in ten seconds, then until the
 * oldest of them is ten seconds ago. */
uint64_t backoff_window_wait_us(const struct backoff_window *window, uint64_t now_us);

/* Notes a start. */
void backoff_window_add(struct backoff_window *window, uint64_t now_us);

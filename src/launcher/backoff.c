/*
 * Waiting times between restarts. Pure: the caller brings the time and the chance.
 */
#include "launcher/backoff.h"

uint32_t backoff_delay_ms(uint32_t n_failures, uint32_t random)
{
    uint32_t doublings = n_failures > 0 ? n_failures - 1 : 0;
    uint64_t delay = doublings < 16 ? (uint64_t)BACKOFF_FIRST_MS << doublings : BACKOFF_CAP_MS;

    if (delay > BACKOFF_CAP_MS) {
        delay = BACKOFF_CAP_MS;
    }
    /* 80 % to 120 %, in thousandths. */
    return (uint32_t)(delay * (800 + random % 401) / 1000);
}

uint64_t backoff_window_wait_us(const struct backoff_window *window, uint64_t now_us)
{
    uint64_t oldest = window->starts_us[window->next];

    if (oldest == 0 || now_us - oldest >= BACKOFF_FREE_WINDOW_US) {
        return 0;
    }
    return oldest + BACKOFF_FREE_WINDOW_US - now_us;
}

void backoff_window_add(struct backoff_window *window, uint64_t now_us)
{
    window->starts_us[window->next] = now_us > 0 ? now_us : 1;
    window->next = (window->next + 1) % BACKOFF_FREE_STARTS;
}

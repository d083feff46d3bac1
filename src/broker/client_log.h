/* How many log lines clients may cause: so many a second for each user, and as many for all
 * others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define CLIENT_LOG_USERS     15
#define CLIENT_LOG_LINES     10u
#define CLIENT_LOG_WINDOW_US UINT64_C(1000000)

struct client_log_row {
    uint32_t uid;
    uint32_t n_lines; /* asked for since `since_us` */
    uint64_t since_us;
};

struct client_log {
    struct client_log_row rows[CLIENT_LOG_USERS + 1]; /* the last: all who have none of their own */
    size_t n_rows;
};

/* Whether a line about a client of this user may be logged now. Sets *ret_n_lost to the number of
 * lines that were not, in the window that this line ends; usually 0. */
MUST_CHECK bool client_log_may(struct client_log *log, uint32_t uid, uint64_t now_us,
                               uint32_t *ret_n_lost);

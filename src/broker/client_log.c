/*
 * Log lines that clients cause.
 *
 * Somebody who connects and breaks the protocol as fast as possible must not fill the disk, nor
 * drown what is said about others. So each user has a budget; what is above it is counted and
 * told with the next line. Users beyond the fifteen that are known at a time share a row, so that
 * changing uids does not help, and a user who was silent for a while gives the row away.
 */
#include "broker/client_log.h"

static struct client_log_row *find_row(struct client_log *log, uint32_t uid, uint64_t now_us)
{
    struct client_log_row *old = NULL;

    for (size_t i = 0; i < log->n_rows; i++) {
        struct client_log_row *row = &log->rows[i];

        if (row->uid == uid) {
            return row;
        }
        /* Nothing to tell about it any more: it can be somebody else's. */
        if (now_us - row->since_us >= CLIENT_LOG_WINDOW_US && row->n_lines <= CLIENT_LOG_LINES) {
            old = row;
        }
    }
    if (!old && log->n_rows < CLIENT_LOG_USERS) {
        old = &log->rows[log->n_rows++];
    }
    if (!old) {
        return &log->rows[CLIENT_LOG_USERS];
    }
    *old = (struct client_log_row){.uid = uid, .since_us = now_us};
    return old;
}

bool client_log_may(struct client_log *log, uint32_t uid, uint64_t now_us, uint32_t *ret_n_lost)
{
    struct client_log_row *row = find_row(log, uid, now_us);

    *ret_n_lost = 0;
    if (now_us - row->since_us >= CLIENT_LOG_WINDOW_US) {
        *ret_n_lost = row->n_lines > CLIENT_LOG_LINES ? row->n_lines - CLIENT_LOG_LINES : 0;
        row->since_us = now_us;
        row->n_lines = 0;
    }
    if (row->n_lines < UINT32_MAX) {
        row->n_lines++;
    }
    return row->n_lines <= CLIENT_LOG_LINES;
}

/*
 * Which of the descriptors that went into a client's socket it is known to have read.
 *
 * The kernel says how much of what was sent is unread, not which message; but messages are read in
 * order, so it is the last ones. Descriptors are settled in batches, each when its last message has
 * been read: two batches take no memory, and a client that always has something unread still gets
 * there, since the first batch no longer grows.
 */
#include "broker/lent_tally.h"

void lent_tally_add(struct lent_tally *tally, bool has_fd)
{
    size_t batch = tally->batches[0].n_fds > 0 ? 1 : 0;

    tally->n_sent++;
    if (has_fd) {
        tally->batches[batch].last = tally->n_sent;
        tally->batches[batch].n_fds++;
    }
}

bool lent_tally_is_open(const struct lent_tally *tally)
{
    return tally->batches[0].n_fds > 0;
}

size_t lent_tally_settle(struct lent_tally *tally, size_t n_unread)
{
    size_t n_fds = 0;

    while (lent_tally_is_open(tally) && n_unread <= tally->n_sent - tally->batches[0].last) {
        n_fds += tally->batches[0].n_fds;
        tally->batches[0] = tally->batches[1];
        tally->batches[1].n_fds = 0;
    }
    return n_fds;
}

/* Which of the descriptors that went into a client's socket it is known to have read. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lent_tally {
    uint64_t n_sent; /* messages so far */
    struct {
        uint64_t last; /* message that carried the last descriptor of the batch */
        size_t n_fds;
    } batches[2]; /* the second collects while the first is not settled */
};

/* Another message went out. */
void lent_tally_add(struct lent_tally *tally, bool has_fd);

/* Whether there is anything to settle. */
bool lent_tally_is_open(const struct lent_tally *tally);

/* At most the last `n_unread` messages have not been read: returns how many descriptors are known
 * to have arrived that were not known before. */
size_t lent_tally_settle(struct lent_tally *tally, size_t n_unread);

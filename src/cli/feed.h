/* Pass on to the service what comes in on a pipe, as it comes. */
#pragma once

#include "base/cleanup.h"
#include "cli/item.h"

struct pes_request;

/* What feed_step() may answer besides a negative errno: reading failed with it. */
enum feed_outcome {
    FEED_E_MORE = 1,     /* there may be more right now */
    FEED_E_WAIT = 2,     /* nothing has arrived yet; poll item->rest_fd */
    FEED_E_FULL = 3,     /* the service takes nothing now; poll pes_fd() */
    FEED_E_END = 4,      /* that was all, and the service knows */
    FEED_E_ANSWERED = 5, /* there is an answer; no more is needed */
};

/* Passes on some of @item: what is in item->fd, then what comes from item->rest_fd. */
MUST_CHECK int feed_step(struct item *item, struct pes_request *request);

/* A deadline of something in the core. */
#pragma once

#include <stdint.h>

#include "base/heap.h"

enum timer_kind {
    TIMER_NONE = 0,
    TIMER_QUESTION = 1, /* next deadline of a question or of one of its parts */
    TIMER_SESSION = 2,  /* hello, identity or idle time is over */
    TIMER_CONTENT = 3,  /* memory was lent and never used */
    TIMER_INSTANCE = 4, /* workers may be forked again */
    TIMER_DRAIN = 5,    /* the broker has to end */
    TIMER_PROVIDER = 6, /* a worker that was kept for a user may be anybody's */
};

struct timer {
    struct heap_node node; /* key: due time in us */
    enum timer_kind kind;
    bool is_armed;
};

#define TIMER_INIT(k)                                                                              \
    {                                                                                              \
        .kind = (k)                                                                                \
    }

/* How much of a provider's time each user has had, so that those who wait share it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SHARE_USERS_MAX 64

/* So long after its last question a user still counts as one who asks. */
#define SHARE_ACTIVE_US UINT64_C(250000)

struct share_user {
    uint32_t uid;
    bool is_waiting;     /* as far as was counted */
    size_t n_running;    /* parts that workers have */
    uint64_t started_us; /* sum of when they began */
    uint64_t had_us;     /* time of workers, from parts that have ended */
    uint64_t last_us;    /* when it last waited or had a worker */
};

struct share {
    size_t n_users;
    struct share_user users[SHARE_USERS_MAX];
    uint64_t floor_us; /* had by whoever was served last: nobody new starts below that */
};

/* Begins to count anew who waits. */
void share_nobody_waits(struct share *share);

/* The user waits, or has a worker from now on. */
void share_touch(struct share *share, uint32_t uid, uint64_t now_us);

/* A worker begins and ends with a part of the user's. */
void share_begin(struct share *share, uint32_t uid, uint64_t now_us);
void share_end(struct share *share, uint32_t uid, uint64_t started_us, uint64_t now_us);

/* What the user has had, with what runs counted up to now. */
uint64_t share_had_us(const struct share *share, uint32_t uid, uint64_t now_us);

/* How many other users ask, or did a moment ago, and have no worker. */
size_t share_n_without(const struct share *share, uint32_t uid, uint64_t now_us);

/* When the first of them that does not wait will have been quiet for so long that it does not
 * count any more; UINT64_MAX: there is none. */
uint64_t share_quiet_at_us(const struct share *share, uint64_t now_us);

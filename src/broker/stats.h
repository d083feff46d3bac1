/* What is counted: sums since the broker started, nothing about any content. */
#pragma once

#include <stdint.h>

#include "base/attribution.h"
#include "base/histogram.h"
#include "wire/messages.h"

#define STATS_PROVIDERS_MAX 16
#define STATS_SIGNALS_MAX   16
#define STATS_CLIENTS_MAX   31 /* and one row for all others */
#define STATS_KINDS_MAX     128
#define STATS_NAME_BYTES    64
#define STATS_BROKER_BIT    63u

struct provider_stats {
    uint64_t n_scans;
    uint64_t n_answers;
    uint64_t n_timeouts;
    uint64_t n_crashes;
    uint64_t n_limits;
    uint64_t n_protocol_errors;
    uint64_t n_restarts;
    uint64_t n_partial;
    uint64_t n_found;
    uint64_t n_found_alone;
    uint64_t n_overridden;
    uint64_t n_would_block;
    uint64_t bytes;
    uint64_t cpu_us;
    struct histogram latency;
    size_t n_signals;
    struct {
        uint32_t signal;
        uint64_t count;
    } signals[STATS_SIGNALS_MAX];
};

struct client_stats {
    uint32_t uid;
    char name[STATS_NAME_BYTES + 1];
    uint64_t count;
    uint64_t wait_us;
    uint64_t floor_us; /* what it may have waited before it had this row */
    double share_us[STATS_PROVIDERS_MAX];
};

struct kind_stats {
    uint64_t count;
    uint64_t wait_us;
};

struct stats {
    uint64_t n_scans;
    uint64_t wait_us;
    uint64_t n_found;
    uint64_t n_blocked;
    uint64_t n_warned;
    uint64_t n_would_block;
    uint64_t n_unchecked;
    uint64_t n_overridden;
    struct histogram wait;
    struct attribution sets;  /* every question */
    struct attribution early; /* of those, the ones that were decided before all had answered */
    struct kind_stats kinds[STATS_KINDS_MAX]; /* [0]: all that the registry does not know */
    size_t n_clients;
    struct client_stats clients[STATS_CLIENTS_MAX + 1]; /* [STATS_CLIENTS_MAX]: all others */
};

/* One question's waiting, kept while it lasts: intervals with the same unfinished set, in order. */
#define STATS_INTERVALS_MAX (STATS_PROVIDERS_MAX + 4)

struct stats_wait {
    uint64_t mask; /* who has not answered; 0 counts as the broker alone */
    uint64_t since_us;
    size_t n_intervals;
    struct {
        uint64_t mask;
        uint64_t us;
    } intervals[STATS_INTERVALS_MAX];
};

/* Begins at `submitted_us`, with the broker alone. */
void stats_wait_start(struct stats_wait *wait, uint64_t submitted_us);

/* From now on it is `mask` that is waited for. */
void stats_wait_change(struct stats_wait *wait, uint64_t mask, uint64_t now_us);

/* What a finished question adds up to. */
struct stats_question {
    uint32_t kind;
    uint32_t uid;
    const char *client; /* verified name of the program file */
    bool is_early;      /* decided before all had answered */
    bool is_found;
    bool is_unchecked; /* nothing found, and not everything looked at */
    uint32_t action;
    uint32_t would;
};

/* Ends the waiting and adds the question to the sums. */
void stats_add_question(struct stats *stats, struct stats_wait *wait,
                        const struct stats_question *question, uint64_t now_us);

/* Provider `index` is gone for good: its number will be another's. What was waited for because of
 * it goes to the broker, which is never gone. */
void stats_forget_provider(struct stats *stats, unsigned index);

/* Counts a worker's death by this signal (0: it ended by itself). */
void stats_add_signal(struct provider_stats *stats, uint32_t signal);

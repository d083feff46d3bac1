/*
 * Who made whom wait: waiting time, summed by the set of those who had not answered yet.
 *
 * While a scan waits, each provider that has not answered is one bit of a mask. On every answer the
 * time since the last one is added to the mask of before. From these sums follows, exactly, what
 * removing any set of providers would have saved, and a fair share of the wait for each (the
 * Shapley value of "the wait is the slowest one's"). It holds for scans that ended when all had
 * answered.
 *
 * Always: saved alone <= share <= busy, and the shares of all 64 bits sum to the total.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ATTRIBUTION_SETS_MAX 128

/* The broker's own work, which waits for nobody. */
#define ATTRIBUTION_BROKER_BIT 63u
#define ATTRIBUTION_BROKER     (UINT64_C(1) << ATTRIBUTION_BROKER_BIT)

/* Everybody: where time goes once the table is full. It can be blamed on nobody in particular. */
#define ATTRIBUTION_OTHER UINT64_MAX

struct attribution_set {
    uint64_t mask;
    uint64_t wait_us;
    uint64_t n_scans; /* times that something was added */
};

struct attribution {
    struct attribution_set sets[ATTRIBUTION_SETS_MAX];
    size_t n;
};

#define ATTRIBUTION_INIT ((struct attribution){0})

/* Adds `wait_us` to the set `mask`; mask 0 (nobody was missing) is the broker's own. */
void attribution_add(struct attribution *table, uint64_t mask, uint64_t wait_us);

/* Adds every set of `from`. */
void attribution_merge(struct attribution *table, const struct attribution_set *from, size_t n);

/* Puts bit `to` in the place of bit `from` in all sets: whoever `from` was is gone. */
void attribution_replace(struct attribution *table, unsigned from, unsigned to);

uint64_t attribution_total_us(const struct attribution_set *sets, size_t n);

/* The fair share of bit `bit`: each interval, split evenly among those who were missing. */
double attribution_share_us(const struct attribution_set *sets, size_t n, unsigned bit);

/* What the wait would have been shorter without all providers of `mask`; a lower bound once the
 * table has overflowed. */
uint64_t attribution_saved_us(const struct attribution_set *sets, size_t n, uint64_t mask);

/* How long bit `bit` was among the missing. */
uint64_t attribution_busy_us(const struct attribution_set *sets, size_t n, unsigned bit);

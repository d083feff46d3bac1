/*
 * Unfinished-set accounting (docs/performance.md tells how to read the numbers).
 *
 * A table of (set, time) is all that is kept, 128 sets at most. Sets beyond that are summed under
 * the set of everybody: the total stays exact, "saved" is then too low rather than too high, and
 * the shares still sum to the total. Sums saturate instead of wrapping round.
 *
 * The table keeps the order in which sets were first seen; the frequent ones come first by
 * themselves, so a linear search finds them at once.
 */
#include "base/attribution.h"

#include <stdbool.h>

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static bool has_bit(const struct attribution_set *set, unsigned bit)
{
    return bit < 64 && (set->mask >> bit & 1);
}

static struct attribution_set *find(struct attribution *table, uint64_t mask)
{
    for (size_t i = 0; i < table->n; i++) {
        if (table->sets[i].mask == mask) {
            return &table->sets[i];
        }
    }
    return NULL;
}

static struct attribution_set *find_or_make(struct attribution *table, uint64_t mask)
{
    struct attribution_set *set = find(table, mask);

    /* The last place is kept for the set of everybody. */
    if (!set && table->n >= ATTRIBUTION_SETS_MAX - 1) {
        mask = ATTRIBUTION_OTHER;
        set = find(table, mask);
    }
    if (!set) {
        set = &table->sets[table->n++];
        *set = (struct attribution_set){.mask = mask};
    }
    return set;
}

static void add(struct attribution *table, uint64_t mask, uint64_t wait_us, uint64_t n_scans)
{
    struct attribution_set *set = find_or_make(table, mask ? mask : ATTRIBUTION_BROKER);

    set->wait_us = add_saturated(set->wait_us, wait_us);
    set->n_scans = add_saturated(set->n_scans, n_scans);
}

void attribution_add(struct attribution *table, uint64_t mask, uint64_t wait_us)
{
    add(table, mask, wait_us, 1);
}

void attribution_merge(struct attribution *table, const struct attribution_set *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(table, from[i].mask, from[i].wait_us, from[i].n_scans);
    }
}

void attribution_replace(struct attribution *table, unsigned from, unsigned to)
{
    struct attribution before = *table;

    table->n = 0;
    for (size_t i = 0; i < before.n; i++) {
        struct attribution_set *set = &before.sets[i];

        if (set->mask != ATTRIBUTION_OTHER && has_bit(set, from)) {
            set->mask = (set->mask & ~(UINT64_C(1) << from)) | UINT64_C(1) << to;
        }
        add(table, set->mask, set->wait_us, set->n_scans);
    }
}

uint64_t attribution_total_us(const struct attribution_set *sets, size_t n)
{
    return attribution_saved_us(sets, n, UINT64_MAX);
}

double attribution_share_us(const struct attribution_set *sets, size_t n, unsigned bit)
{
    double share = 0;

    for (size_t i = 0; i < n; i++) {
        if (has_bit(&sets[i], bit)) {
            share += (double)sets[i].wait_us / __builtin_popcountll(sets[i].mask);
        }
    }
    return share;
}

uint64_t attribution_saved_us(const struct attribution_set *sets, size_t n, uint64_t mask)
{
    uint64_t saved = 0;

    for (size_t i = 0; i < n; i++) {
        if ((sets[i].mask & ~mask) == 0) {
            saved = add_saturated(saved, sets[i].wait_us);
        }
    }
    return saved;
}

uint64_t attribution_busy_us(const struct attribution_set *sets, size_t n, unsigned bit)
{
    uint64_t busy = 0;

    for (size_t i = 0; i < n; i++) {
        if (has_bit(&sets[i], bit)) {
            busy = add_saturated(busy, sets[i].wait_us);
        }
    }
    return busy;
}

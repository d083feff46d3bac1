/*
 * What is counted.
 *
 * The heart is the unfinished-set table (SPEC 8.1): while an application waits, the time is charged
 * to the exact set of providers that have not answered yet. Every later figure about who made whom
 * wait follows from that one table. Time in which no provider was asked (transport, routing,
 * hashing) is the broker's own, which is a row like any other.
 *
 * Names of programs are kept, capped in number; nothing about content, paths or users is.
 */
#include "broker/stats.h"

#include <string.h>

#include "wire/name_table.h"

#define BROKER_MASK (UINT64_C(1) << STATS_BROKER_BIT)

void stats_wait_start(struct stats_wait *wait, uint64_t submitted_us)
{
    wait->mask = BROKER_MASK;
    wait->since_us = submitted_us;
    wait->n_intervals = 0;
}

void stats_wait_change(struct stats_wait *wait, uint64_t mask, uint64_t now_us)
{
    uint64_t us = now_us > wait->since_us ? now_us - wait->since_us : 0;

    if (us > 0) {
        size_t last = wait->n_intervals;

        /* The row is long enough for every provider to answer once; what is beyond that adds to its
         * end. */
        if (last == STATS_INTERVALS_MAX ||
            (last > 0 && wait->intervals[last - 1].mask == wait->mask)) {
            wait->intervals[last - 1].us += us;
        } else {
            wait->intervals[last].mask = wait->mask;
            wait->intervals[last].us = us;
            wait->n_intervals++;
        }
        wait->since_us = now_us;
    }
    wait->mask = mask ? mask : BROKER_MASK;
}

static size_t n_rows_of(const struct stats *stats, uint32_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < stats->n_clients; i++) {
        n += stats->clients[i].uid == uid;
    }
    return n;
}

static uint64_t rank_of(const struct client_stats *row)
{
    return row->floor_us + row->wait_us;
}

/* Of the user with the most rows, the one that waited least. */
static struct client_stats *least_row(struct stats *stats)
{
    struct client_stats *least = NULL;
    size_t n_most = 0;

    for (size_t i = 0; i < stats->n_clients; i++) {
        struct client_stats *row = &stats->clients[i];
        size_t n_rows = n_rows_of(stats, row->uid);

        if (n_rows > n_most || (n_rows == n_most && rank_of(row) < rank_of(least))) {
            n_most = n_rows;
            least = row;
        }
    }
    return least;
}

/* Adds a row to that of all others and empties it. */
static void give_up_row(struct stats *stats, struct client_stats *row)
{
    struct client_stats *others = &stats->clients[STATS_CLIENTS_MAX];

    strcpy(others->name, "(others)");
    others->uid = UINT32_MAX;
    others->count += row->count;
    others->wait_us += row->wait_us;
    for (size_t i = 0; i < STATS_PROVIDERS_MAX; i++) {
        others->share_us[i] += row->share_us[i];
    }
    *row = (struct client_stats){0};
}

/*
 * The row of a program of a user. When all are taken, one is given up for it: of the user with the
 * most rows, so that nobody's programs are pushed out by another's many names, and the least of
 * those. Within one user this is Space-Saving: who gets a row ranks as if it had waited as long as
 * whom it replaces, and so does not lose it to the very next one.
 */
static struct client_stats *client_row(struct stats *stats, uint32_t uid, const char *name)
{
    struct client_stats *row;
    uint64_t floor_us = 0;

    for (size_t i = 0; i < stats->n_clients; i++) {
        row = &stats->clients[i];
        if (row->uid == uid && strcmp(row->name, name) == 0) {
            return row;
        }
    }
    if (stats->n_clients < STATS_CLIENTS_MAX) {
        row = &stats->clients[stats->n_clients++];
    } else {
        row = least_row(stats);
        floor_us = row->uid == uid ? rank_of(row) : 0;
        give_up_row(stats, row);
    }
    row->uid = uid;
    row->floor_us = floor_us;
    strncpy(row->name, name, STATS_NAME_BYTES);
    return row;
}

/* Numbers that mean nothing share a row, so that they cannot take those of kinds that do. */
static struct kind_stats *kind_row(struct stats *stats, uint32_t kind)
{
    return &stats->kinds[kind < STATS_KINDS_MAX && kind_by_number(kind) ? kind : 0];
}

static void share_interval(struct client_stats *client, uint64_t mask, uint64_t us)
{
    int n_waited_for = __builtin_popcountll(mask);

    for (size_t i = 0; i < STATS_PROVIDERS_MAX; i++) {
        if (mask >> i & 1) {
            client->share_us[i] += (double)us / n_waited_for;
        }
    }
}

void stats_add_question(struct stats *stats, struct stats_wait *wait,
                        const struct stats_question *question, uint64_t now_us)
{
    struct client_stats *client = client_row(stats, question->uid, question->client);
    struct kind_stats *kind = kind_row(stats, question->kind);
    uint64_t wait_us = 0;

    stats_wait_change(wait, 0, now_us);
    for (size_t i = 0; i < wait->n_intervals; i++) {
        wait_us += wait->intervals[i].us;
        attribution_add(&stats->sets, wait->intervals[i].mask, wait->intervals[i].us);
        if (question->is_early) {
            attribution_add(&stats->early, wait->intervals[i].mask, wait->intervals[i].us);
        }
        share_interval(client, wait->intervals[i].mask, wait->intervals[i].us);
    }
    client->count++;
    client->wait_us += wait_us;
    kind->count++;
    kind->wait_us += wait_us;
    histogram_add(&stats->wait, wait_us);
    stats->n_scans++;
    stats->wait_us += wait_us;
    stats->n_found += question->is_found;
    stats->n_unchecked += question->is_unchecked;
    stats->n_blocked += question->action == PES_STOP;
    stats->n_warned += question->action == PES_ASK;
    stats->n_would_block += question->would == PES_DISPOSITION_BLOCK;
}

void stats_forget_provider(struct stats *stats, unsigned index)
{
    attribution_replace(&stats->sets, index, STATS_BROKER_BIT);
    attribution_replace(&stats->early, index, STATS_BROKER_BIT);
    for (size_t i = 0; i <= STATS_CLIENTS_MAX; i++) {
        stats->clients[i].share_us[index] = 0;
    }
}

void stats_add_signal(struct provider_stats *stats, uint32_t signal)
{
    size_t i;

    for (i = 0; i < stats->n_signals; i++) {
        if (stats->signals[i].signal == signal) {
            stats->signals[i].count++;
            return;
        }
    }
    /* Sixteen kinds of death are enough; the sum stays right in n_crashes. */
    if (i < STATS_SIGNALS_MAX) {
        stats->signals[i].signal = signal;
        stats->signals[i].count = 1;
        stats->n_signals++;
    }
}

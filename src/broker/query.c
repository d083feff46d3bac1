/*
 * Answers to those who ask about the service itself.
 *
 * Sums over providers are for everybody. Which programs waited is told to the user whose programs
 * they are; whoever comes by the admin socket sees all, everybody else sees the rest summed up as
 * other users'.
 */
#include "broker/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/version.h>

#include "broker/core.h"
#include "broker/session.h"

#define UNKNOWN_NAME_BYTES 48

enum query_what {
    QUERY_SERVICE = 1,
    QUERY_REPORT = 2,
};

/* Rows keep their place: bit i of a mask is row i, for as long as the provider has it. */
static size_t n_rows(const struct core *core)
{
    size_t n = PROVIDERS_MAX;

    while (n > 0 && !core->providers[n - 1].is_used) {
        n--;
    }
    return n;
}

static void fill_kinds(const struct provider *provider, struct wire_provider_row *row)
{
    for (uint32_t kind = 1; kind < 128 && row->n_kinds < 64; kind++) {
        if (provider->has_kinds && (provider->kinds[kind / 64] >> (kind % 64) & 1)) {
            row->kinds[row->n_kinds++] = kind;
        }
    }
}

static void fill_row(const struct core *core, const struct provider *provider,
                     uint8_t histogram[HISTOGRAM_PACK_BYTES_MAX], struct wire_provider_row *row)
{
    const struct instance *instance = provider_serving(provider);
    const struct provider_stats *stats = &provider->stats;

    *row = (struct wire_provider_row){
        .name = wire_text(provider->name),
        .reason = wire_text(provider->reason),
        .state = provider->state,
        .n_workers = provider->n_workers,
        .is_unsigned = provider->is_unsigned,
        .takes_beginnings = instance && instance->takes_beginnings,
        .mode = provider->mode ? provider->mode : core->policy.mode,
        .n_scans = stats->n_scans,
        .n_answers = stats->n_answers,
        .n_timeouts = stats->n_timeouts,
        .n_crashes = stats->n_crashes,
        .n_limits = stats->n_limits,
        .n_protocol_errors = stats->n_protocol_errors,
        .n_restarts = stats->n_restarts,
        .n_partial = stats->n_partial,
        .n_found = stats->n_found,
        .n_found_alone = stats->n_found_alone,
        .n_overridden = stats->n_overridden,
        .n_would_block = stats->n_would_block,
        .bytes = stats->bytes,
        .cpu_us = stats->cpu_us,
        .max_us = stats->latency.max_us,
        .refused_generation = provider->refused_generation,
        .newest_generation = provider->newest_generation,
    };
    if (instance) {
        row->state = PES_PROVIDER_STATE_READY;
        row->version = wire_text(instance->version);
        row->definitions = wire_text(instance->definitions);
        row->generation = instance->generation;
    }
    if (!provider->is_configured || provider->is_off) {
        row->state = PES_PROVIDER_STATE_OFF;
    }
    fill_kinds(provider, row);
    for (size_t i = 0; i < stats->n_signals; i++) {
        row->signals[row->n_signals].signal = stats->signals[i].signal;
        row->signals[row->n_signals++].count = stats->signals[i].count;
    }
    row->histogram = (struct wire_bytes){
        histogram, histogram_pack(&stats->latency, histogram, HISTOGRAM_PACK_BYTES_MAX)};
}

static void send_service(struct core *core, struct session *session, const struct wire_query *query,
                         uint64_t now_us)
{
    struct wire_service *service = &core->outgoing->service;
    uint8_t histograms[PROVIDERS_MAX][HISTOGRAM_PACK_BYTES_MAX];

    *service = (struct wire_service){
        .id = query->id,
        .version = wire_text(PES_VERSION),
        .mode = core->policy.mode,
        .uptime_us = now_us - core->started_us,
        .n_sessions = (uint32_t)core->n_sessions,
        .n_in_flight = (uint32_t)core->n_questions,
        .content_bytes = core->content_bytes,
        .is_system = core->is_system,
        .allows_unsigned = core->allows_unsigned,
        .tier = wire_text(core->tier),
        .fd_guard = wire_text(core->fd_guard),
        .config_generation = core->config_generation,
        .config_error = wire_text(core->config_error),
        .n_providers = n_rows(core),
    };
    for (size_t i = 0; i < service->n_providers; i++) {
        fill_row(core, &core->providers[i], histograms[i], &service->providers[i]);
    }
    action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_SERVICE, service)
        ->session = session->handle;
}

static void fill_sets(const struct stats *stats, struct wire_report *report)
{
    report->n_sets = stats->sets.n;
    for (size_t i = 0; i < stats->sets.n; i++) {
        const struct attribution_set *set = &stats->sets.sets[i];

        report->sets[i] = (struct wire_set_wait){
            .mask = set->mask, .wait_us = set->wait_us, .n_scans = set->n_scans};
        for (size_t j = 0; j < stats->early.n; j++) {
            if (stats->early.sets[j].mask == set->mask) {
                report->sets[i].early_us = stats->early.sets[j].wait_us;
            }
        }
    }
}

/* The provider with the greatest share of a program's waiting. */
static void blame(const struct core *core, const struct client_stats *client,
                  struct wire_client_row *row)
{
    size_t worst = 0;

    for (size_t i = 1; i < PROVIDERS_MAX; i++) {
        worst = client->share_us[i] > client->share_us[worst] ? i : worst;
    }
    if (client->share_us[worst] > 0) {
        row->blamed = wire_text(core->providers[worst].name);
        row->blamed_us = (uint64_t)client->share_us[worst];
    }
}

static int by_wait(const void *a, const void *b)
{
    const struct client_stats *const *one = a, *const *two = b;

    return ((*one)->wait_us < (*two)->wait_us) - ((*one)->wait_us > (*two)->wait_us);
}

/* A program that identity could not look at, for lack of rights or because it had ended. */
static struct wire_bytes unknown_name(char name[UNKNOWN_NAME_BYTES], uint32_t uid)
{
    snprintf(name, UNKNOWN_NAME_BYTES, "(a program of uid %u)", uid);
    return wire_text(name);
}

static void fill_clients(const struct core *core, const struct session *session,
                         struct client_stats *others, char names[][UNKNOWN_NAME_BYTES],
                         struct wire_report *report)
{
    const struct client_stats *rows[STATS_CLIENTS_MAX + 2];
    size_t n = 0;

    for (size_t i = 0; i <= STATS_CLIENTS_MAX; i++) {
        const struct client_stats *client = &core->stats.clients[i];

        if (client->count == 0) {
            continue;
        }
        if (session->peer.is_admin || client->uid == session->peer.uid) {
            rows[n++] = client;
            continue;
        }
        others->count += client->count;
        others->wait_us += client->wait_us;
        for (size_t p = 0; p < PROVIDERS_MAX; p++) {
            others->share_us[p] += client->share_us[p];
        }
    }
    qsort(rows, n, sizeof(rows[0]), by_wait);
    if (others->count > 0) {
        strcpy(others->name, "(other users)");
        n = n < 32 ? n : 31;
        rows[n++] = others;
    }
    for (size_t i = 0; i < n && report->n_clients < 32; i++) {
        struct wire_client_row *row = &report->clients[report->n_clients++];

        *row = (struct wire_client_row){
            .name =
                rows[i]->name[0] ? wire_text(rows[i]->name) : unknown_name(names[i], rows[i]->uid),
            .count = rows[i]->count,
            .wait_us = rows[i]->wait_us,
        };
        blame(core, rows[i], row);
    }
}

static void fill_kind_counts(const struct stats *stats, struct wire_report *report)
{
    for (uint32_t kind = 0; kind < STATS_KINDS_MAX && report->n_kinds < 64; kind++) {
        if (stats->kinds[kind].count > 0) {
            report->kinds[report->n_kinds++] = (struct wire_kind_count){
                kind, stats->kinds[kind].count, stats->kinds[kind].wait_us};
        }
    }
}

static void send_report(struct core *core, struct session *session, const struct wire_query *query,
                        uint64_t now_us)
{
    const struct stats *stats = &core->stats;
    struct wire_report *report = &core->outgoing->report;
    struct client_stats others = {0};
    char names[32][UNKNOWN_NAME_BYTES];
    uint8_t histograms[PROVIDERS_MAX + 1][HISTOGRAM_PACK_BYTES_MAX];

    *report = (struct wire_report){
        .id = query->id,
        .uptime_us = now_us - core->started_us,
        .n_scans = stats->n_scans,
        .wait_us = stats->wait_us,
        .n_found = stats->n_found,
        .n_blocked = stats->n_blocked,
        .n_warned = stats->n_warned,
        .n_would_block = stats->n_would_block,
        .n_unchecked = stats->n_unchecked,
        .n_overridden = stats->n_overridden,
        .max_us = stats->wait.max_us,
        .mode = core->policy.mode,
        .n_providers = n_rows(core),
    };
    report->histogram = (struct wire_bytes){
        histograms[PROVIDERS_MAX],
        histogram_pack(&stats->wait, histograms[PROVIDERS_MAX], HISTOGRAM_PACK_BYTES_MAX),
    };
    for (size_t i = 0; i < report->n_providers; i++) {
        fill_row(core, &core->providers[i], histograms[i], &report->providers[i]);
    }
    fill_sets(stats, report);
    fill_kind_counts(stats, report);
    fill_clients(core, session, &others, names, report);
    action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_REPORT, report)->session =
        session->handle;
}

bool query_answer(struct core *core, struct session *session, const struct wire_query *query,
                  uint64_t now_us)
{
    switch ((enum query_what)query->what) {
    case QUERY_SERVICE:
        send_service(core, session, query, now_us);
        return true;
    case QUERY_REPORT:
        send_report(core, session, query, now_us);
        return true;
    }
    return false;
}

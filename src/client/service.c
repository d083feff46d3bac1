/*
 * Status and report, copied out of the broker's messages and made harmless to show.
 *
 * The figures about waiting are computed here, from the table of unfinished sets (SPEC 8.1): the
 * broker counts, and whoever asks does the arithmetic. Percentiles are only given where there are
 * enough values (SPEC 8.2); otherwise they are negative.
 */
#include "client/service.h"

#include <stdlib.h>

#include <pes/enums.h>
#include <pes/names.h>

#include "base/attribution.h"
#include "base/histogram.h"
#include "base/safe_text.h"
#include "client/fill.h"

#define US_PER_SECOND 1e6

#define PROVIDERS_MAX 16
#define KINDS_MAX     64
#define CLIENTS_MAX   32

struct provider {
    struct pes_provider_info shown;
    uint32_t kinds[KINDS_MAX];
    struct wire_signal_count signals[PROVIDERS_MAX];
    size_t n_signals;
};

struct pes_service {
    struct pes_service_info info;
    struct provider providers[PROVIDERS_MAX];
    struct pes_count_info kinds[KINDS_MAX];
    struct pes_count_info clients[CLIENTS_MAX];
    struct attribution_set waits[ATTRIBUTION_SETS_MAX];   /* all waiting */
    struct attribution_set savings[ATTRIBUTION_SETS_MAX]; /* less what was decided early */
    size_t n_sets;
    size_t n_text; /* used */
    size_t n_room;
    char text[];
};

static size_t room_for(struct wire_bytes bytes)
{
    return bytes.size * 4 + 1; /* an escape is at most four times as long */
}

static size_t room_for_rows(const struct wire_provider_row *rows, size_t n_rows)
{
    size_t n = 0;

    for (size_t i = 0; i < n_rows; i++) {
        n += room_for(rows[i].name) + room_for(rows[i].version) + room_for(rows[i].definitions) +
             room_for(rows[i].reason);
    }
    return n;
}

static struct pes_service *allocate(size_t n_room)
{
    struct pes_service *service = calloc(1, sizeof(*service) + n_room);

    if (service) {
        service->n_room = n_room;
        service->info.size_bytes = sizeof(service->info);
        service->info.version = service->info.tier = service->info.fd_guard = "";
        service->info.config_error = "";
        service->info.wait_p50_seconds = service->info.wait_p95_seconds = -1;
        service->info.wait_p99_seconds = -1;
    }
    return service;
}

static const char *put_text(struct pes_service *service, struct wire_bytes bytes)
{
    char *text = service->text + service->n_text;

    service->n_text +=
        safe_text(text, service->n_room - service->n_text, bytes.data, bytes.size) + 1;
    return text;
}

static double seconds(double us)
{
    return us < 0 ? -1 : us / US_PER_SECOND;
}

/* Three percentiles of a packed histogram; negative where it does not say. */
static void put_percentiles(struct wire_bytes packed, double *ret_p50, double *ret_p95,
                            double *ret_p99)
{
    struct histogram histogram;

    *ret_p50 = *ret_p95 = *ret_p99 = -1;
    if (packed.size > 0 && histogram_unpack(&histogram, packed.data, packed.size)) {
        *ret_p50 = seconds(histogram_quantile_us(&histogram, 0.50));
        *ret_p95 = seconds(histogram_quantile_us(&histogram, 0.95));
        *ret_p99 = seconds(histogram_quantile_us(&histogram, 0.99));
    }
}

static void put_row(struct pes_service *service, const struct wire_provider_row *row)
{
    struct provider *to = &service->providers[service->info.n_providers++];

    to->shown = (struct pes_provider_info){
        .size_bytes = sizeof(to->shown),
        .state = row->state,
        .mode = row->mode,
        .is_unsigned = row->is_unsigned != 0,
        .n_workers = row->n_workers,
        .n_kinds = (uint32_t)row->n_kinds,
        .generation = row->generation,
        .name = put_text(service, row->name),
        .version = put_text(service, row->version),
        .definitions = put_text(service, row->definitions),
        .reason = put_text(service, row->reason),
        .kinds = to->kinds,
        .n_scans = row->n_scans,
        .n_answers = row->n_answers,
        .n_timeouts = row->n_timeouts,
        .n_crashes = row->n_crashes,
        .n_limits = row->n_limits,
        .n_protocol_errors = row->n_protocol_errors,
        .n_restarts = row->n_restarts,
        .n_partial = row->n_partial,
        .n_found = row->n_found,
        .n_found_alone = row->n_found_alone,
        .n_overridden = row->n_overridden,
        .n_would_block = row->n_would_block,
        .bytes = row->bytes,
        .cpu_seconds = (double)row->cpu_us / US_PER_SECOND,
        .max_seconds = (double)row->max_us / US_PER_SECOND,
        .refused_generation = row->refused_generation,
        .newest_generation = row->newest_generation,
        .takes_beginnings = row->takes_beginnings != 0,
    };
    put_percentiles(row->histogram, &to->shown.p50_seconds, &to->shown.p95_seconds,
                    &to->shown.p99_seconds);
    for (size_t i = 0; i < row->n_kinds; i++) {
        to->kinds[i] = row->kinds[i];
    }
    for (size_t i = 0; i < row->n_signals; i++) {
        to->signals[to->n_signals++] = row->signals[i];
    }
}

struct pes_service *service_from_status(const struct wire_service *wire)
{
    size_t n_room = room_for(wire->version) + room_for(wire->tier) + room_for(wire->fd_guard) +
                    room_for(wire->config_error) +
                    room_for_rows(wire->providers, wire->n_providers);
    struct pes_service *service = allocate(n_room);
    struct pes_service_info *info;

    if (!service) {
        return NULL;
    }
    info = &service->info;
    info->mode = wire->mode;
    info->is_system = wire->is_system != 0;
    info->allows_unsigned = wire->allows_unsigned != 0;
    info->n_sessions = wire->n_sessions;
    info->n_in_flight = wire->n_in_flight;
    info->content_bytes = wire->content_bytes;
    info->uptime_us = wire->uptime_us;
    info->config_generation = wire->config_generation;
    info->version = put_text(service, wire->version);
    info->tier = put_text(service, wire->tier);
    info->fd_guard = put_text(service, wire->fd_guard);
    info->config_error = put_text(service, wire->config_error);
    for (size_t i = 0; i < wire->n_providers; i++) {
        put_row(service, &wire->providers[i]);
    }
    return service;
}

static void put_sets(struct pes_service *service, const struct wire_report *wire)
{
    struct pes_service_info *info = &service->info;

    for (size_t i = 0; i < wire->n_sets; i++) {
        const struct wire_set_wait *set = &wire->sets[i];
        uint64_t early_us = set->early_us < set->wait_us ? set->early_us : set->wait_us;

        service->waits[i] = (struct attribution_set){
            .mask = set->mask,
            .wait_us = set->wait_us,
            .n_scans = set->n_scans,
        };
        service->savings[i] = service->waits[i];
        service->savings[i].wait_us -= early_us;
    }
    service->n_sets = wire->n_sets;
    info->wait_seconds =
        (double)attribution_total_us(service->waits, service->n_sets) / US_PER_SECOND;
    info->broker_wait_share_seconds =
        attribution_share_us(service->waits, service->n_sets, ATTRIBUTION_BROKER_BIT) /
        US_PER_SECOND;
    for (uint32_t i = 0; i < info->n_providers; i++) {
        struct pes_provider_info *shown = &service->providers[i].shown;

        shown->wait_share_seconds =
            attribution_share_us(service->waits, service->n_sets, i) / US_PER_SECOND;
        shown->busy_seconds =
            (double)attribution_busy_us(service->waits, service->n_sets, i) / US_PER_SECOND;
        shown->saved_if_removed_seconds =
            (double)attribution_saved_us(service->savings, service->n_sets, UINT64_C(1) << i) /
            US_PER_SECOND;
    }
}

static void put_counts(struct pes_service *service, const struct wire_report *wire)
{
    for (size_t i = 0; i < wire->n_kinds; i++) {
        service->kinds[i] = (struct pes_count_info){
            .size_bytes = sizeof(struct pes_count_info),
            .number = wire->kinds[i].kind,
            .count = wire->kinds[i].count,
            .wait_seconds = (double)wire->kinds[i].wait_us / US_PER_SECOND,
            .name = pes_kind_name(wire->kinds[i].kind),
            .blamed = "",
        };
    }
    for (size_t i = 0; i < wire->n_clients; i++) {
        service->clients[i] = (struct pes_count_info){
            .size_bytes = sizeof(struct pes_count_info),
            .count = wire->clients[i].count,
            .wait_seconds = (double)wire->clients[i].wait_us / US_PER_SECOND,
            .blamed_seconds = (double)wire->clients[i].blamed_us / US_PER_SECOND,
            .name = put_text(service, wire->clients[i].name),
            .blamed = put_text(service, wire->clients[i].blamed),
        };
    }
    service->info.n_kinds = (uint32_t)wire->n_kinds;
    service->info.n_clients = (uint32_t)wire->n_clients;
}

struct pes_service *service_from_report(const struct wire_report *wire)
{
    size_t n_room = room_for_rows(wire->providers, wire->n_providers);
    struct pes_service *service;
    struct pes_service_info *info;

    for (size_t i = 0; i < wire->n_clients; i++) {
        n_room += room_for(wire->clients[i].name) + room_for(wire->clients[i].blamed);
    }
    service = allocate(n_room);
    if (!service) {
        return NULL;
    }
    info = &service->info;
    info->mode = wire->mode;
    info->uptime_us = wire->uptime_us;
    info->n_scans = wire->n_scans;
    info->n_found = wire->n_found;
    info->n_blocked = wire->n_blocked;
    info->n_warned = wire->n_warned;
    info->n_would_block = wire->n_would_block;
    info->n_unchecked = wire->n_unchecked;
    info->n_overridden = wire->n_overridden;
    info->wait_max_seconds = (double)wire->max_us / US_PER_SECOND;
    put_percentiles(wire->histogram, &info->wait_p50_seconds, &info->wait_p95_seconds,
                    &info->wait_p99_seconds);
    for (size_t i = 0; i < wire->n_providers; i++) {
        put_row(service, &wire->providers[i]);
    }
    put_sets(service, wire);
    put_counts(service, wire);
    return service;
}

void pes_service_free(struct pes_service *service)
{
    free(service);
}

void pes_service_info(const struct pes_service *service, struct pes_service_info *ret_info)
{
    if (service && ret_info) {
        fill(ret_info, &service->info, sizeof(service->info));
    }
}

int pes_service_provider(const struct pes_service *service, uint32_t index,
                         struct pes_provider_info *ret_info)
{
    if (!service || !ret_info || index >= service->info.n_providers) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fill(ret_info, &service->providers[index].shown, sizeof(service->providers[index].shown));
    return 0;
}

int pes_service_signal(const struct pes_service *service, uint32_t provider, uint32_t index,
                       struct pes_count_info *ret_info)
{
    const struct provider *from;
    struct pes_count_info info = {.blamed = ""};

    if (!service || !ret_info || provider >= service->info.n_providers ||
        index >= service->providers[provider].n_signals) {
        return -PES_E_INVALID_ARGUMENT;
    }
    from = &service->providers[provider];
    info.number = from->signals[index].signal;
    info.count = from->signals[index].count;
    info.name = info.number ? pes_signal_name(info.number) : "ended by itself";
    fill(ret_info, &info, sizeof(info));
    return 0;
}

int pes_service_kind(const struct pes_service *service, uint32_t index,
                     struct pes_count_info *ret_info)
{
    if (!service || !ret_info || index >= service->info.n_kinds) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fill(ret_info, &service->kinds[index], sizeof(service->kinds[index]));
    return 0;
}

int pes_service_client(const struct pes_service *service, uint32_t index,
                       struct pes_count_info *ret_info)
{
    if (!service || !ret_info || index >= service->info.n_clients) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fill(ret_info, &service->clients[index], sizeof(service->clients[index]));
    return 0;
}

double pes_service_saved_if_removed(const struct pes_service *service, uint64_t mask)
{
    if (!service) {
        return 0;
    }
    return (double)attribution_saved_us(service->savings, service->n_sets, mask) / US_PER_SECOND;
}

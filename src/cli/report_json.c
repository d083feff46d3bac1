/*
 * `pes report --json`: the sums at the top, then providers, kinds and applications.
 *
 * The broker stands among the providers as "broker", so that the shares add up to wait_seconds. A
 * percentile with too few answers behind it is null. Fields are only ever added.
 */
#include <errno.h>

#include <pes/pes.h>

#include "cli/json_text.h"
#include "cli/provider_words.h"
#include "cli/report.h"

/* The broker's own time is a bit of its own (SPEC 8.1). */
#define BROKER_MASK (UINT64_C(1) << 63)

static json_t *quantile_json(double seconds)
{
    return seconds < 0 ? json_null() : json_real(seconds);
}

static void put_integer(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static json_t *provider_json(const struct pes_service *service, uint32_t index,
                             const struct pes_provider_info *p)
{
    json_t *object = json_object();

    json_object_set_new(object, "name", json_text_or_null(p->name));
    json_object_set_new(object, "version", json_text_or_null(p->version));
    json_object_set_new(object, "wait_share_seconds", json_real(p->wait_share_seconds));
    json_object_set_new(object, "saved_if_removed_seconds", json_real(p->saved_if_removed_seconds));
    json_object_set_new(object, "busy_seconds", json_real(p->busy_seconds));
    json_object_set_new(object, "p50_seconds", quantile_json(p->p50_seconds));
    json_object_set_new(object, "p95_seconds", quantile_json(p->p95_seconds));
    json_object_set_new(object, "p99_seconds", quantile_json(p->p99_seconds));
    json_object_set_new(object, "max_seconds", quantile_json(p->max_seconds));
    put_integer(object, "scans", p->n_scans);
    put_integer(object, "answers", p->n_answers);
    put_integer(object, "timeouts", p->n_timeouts);
    put_integer(object, "crashes", p->n_crashes);
    put_integer(object, "limits", p->n_limits);
    put_integer(object, "protocol_errors", p->n_protocol_errors);
    put_integer(object, "restarts", p->n_restarts);
    json_object_set_new(object, "signals", crash_json(service, index));
    put_integer(object, "found", p->n_found);
    put_integer(object, "found_alone", p->n_found_alone);
    put_integer(object, "overridden", p->n_overridden);
    put_integer(object, "would_block", p->n_would_block);
    put_integer(object, "partial", p->n_partial);
    json_object_set_new(object, "cpu_seconds", json_real(p->cpu_seconds));
    put_integer(object, "bytes", p->bytes);
    return object;
}

/* The broker looks at nothing: of what is counted about providers only the waiting applies. */
static json_t *broker_json(const struct pes_service *service, const struct pes_service_info *info)
{
    json_t *object = json_object();
    static const char *const zeros[] = {
        "timeouts", "crashes", "limits",  "protocol_errors", "restarts",    "found",
        "partial",  "bytes",   "answers", "found_alone",     "would_block", "overridden",
    };

    json_object_set_new(object, "name", json_string("broker"));
    json_object_set_new(object, "version", json_text_or_null(info->version));
    json_object_set_new(object, "wait_share_seconds", json_real(info->broker_wait_share_seconds));
    json_object_set_new(object, "saved_if_removed_seconds",
                        json_real(pes_service_saved_if_removed(service, BROKER_MASK)));
    json_object_set_new(object, "busy_seconds", json_real(info->broker_wait_share_seconds));
    json_object_set_new(object, "p50_seconds", json_null());
    json_object_set_new(object, "p95_seconds", json_null());
    json_object_set_new(object, "p99_seconds", json_null());
    json_object_set_new(object, "max_seconds", json_null());
    put_integer(object, "scans", info->n_scans);
    for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
        put_integer(object, zeros[i], 0);
    }
    json_object_set_new(object, "signals", json_object());
    json_object_set_new(object, "cpu_seconds", json_null());
    return object;
}

static json_t *providers_json(const struct pes_service *service,
                              const struct pes_service_info *info)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < info->n_providers; i++) {
        struct pes_provider_info provider = {.size_bytes = sizeof(provider)};

        if (pes_service_provider(service, i, &provider) == 0) {
            json_array_append_new(list, provider_json(service, i, &provider));
        }
    }
    json_array_append_new(list, broker_json(service, info));
    return list;
}

static json_t *kinds_json(const struct pes_service *service, uint32_t n_kinds)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n_kinds; i++) {
        struct pes_count_info kind = {.size_bytes = sizeof(kind)};

        if (pes_service_kind(service, i, &kind) == 0) {
            json_array_append_new(
                list, json_pack("{s:o, s:I, s:f}", "name", json_text_or_null(kind.name), "scans",
                                (json_int_t)kind.count, "wait_seconds", kind.wait_seconds));
        }
    }
    return list;
}

static json_t *clients_json(const struct pes_service *service, uint32_t n_clients)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < n_clients; i++) {
        struct pes_count_info client = {.size_bytes = sizeof(client)};

        if (pes_service_client(service, i, &client) == 0) {
            json_array_append_new(
                list, json_pack("{s:o, s:I, s:f, s:o, s:f}", "name", json_text_or_null(client.name),
                                "scans", (json_int_t)client.count, "wait_seconds",
                                client.wait_seconds, "mostly_for", json_text_or_null(client.blamed),
                                "mostly_for_seconds", client.blamed_seconds));
        }
    }
    return list;
}

int report_print_json(const struct pes_service *service)
{
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    json_t *object = json_object();

    if (!object) {
        return -ENOMEM;
    }
    pes_service_info(service, &info);
    json_object_set_new(object, "wait_seconds", json_real(info.wait_seconds));
    put_integer(object, "scans", info.n_scans);
    put_integer(object, "found", info.n_found);
    put_integer(object, "blocked", info.n_blocked);
    put_integer(object, "warned", info.n_warned);
    put_integer(object, "would_block", info.n_would_block);
    put_integer(object, "unchecked", info.n_unchecked);
    put_integer(object, "overridden", info.n_overridden);
    json_object_set_new(object, "uptime_seconds", json_real((double)info.uptime_us / 1e6));
    json_object_set_new(object, "mode", json_string(pes_mode_name(info.mode)));
    json_object_set_new(object, "p50_seconds", quantile_json(info.wait_p50_seconds));
    json_object_set_new(object, "p95_seconds", quantile_json(info.wait_p95_seconds));
    json_object_set_new(object, "p99_seconds", quantile_json(info.wait_p99_seconds));
    json_object_set_new(object, "max_seconds", quantile_json(info.wait_max_seconds));
    json_object_set_new(object, "providers", providers_json(service, &info));
    json_object_set_new(object, "kinds", kinds_json(service, info.n_kinds));
    json_object_set_new(object, "clients", clients_json(service, info.n_clients));
    return json_print_line(object);
}

/*
 * The service itself: its state, its providers, and who made whom wait.
 *
 * An ordinary user sees all providers and own questions; root and the user the broker runs as see
 * everything.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>
#include <pes/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pes_ctx;
struct pes_service;

/** State of the service. Set size_bytes = sizeof before the call. */
struct pes_service_info {
    uint32_t size_bytes;
    uint32_t mode;            /* enum pes_mode: global mode */
    uint32_t is_system;       /* 1: system mode, 0: --user */
    uint32_t allows_unsigned; /* 1: unsigned modules may run */
    uint32_t n_providers;
    uint32_t n_kinds;   /* report only */
    uint32_t n_clients; /* report only */
    uint32_t n_sessions;
    uint32_t n_in_flight;
    uint64_t content_bytes; /* content held now */
    uint64_t uptime_us;
    uint64_t config_generation;
    const char *version;
    const char *tier;         /* what the sandboxes are made of */
    const char *fd_guard;     /* what keeps clients' descriptors out of the broker */
    const char *config_error; /* why the last reload or upgrade was refused, or "" */
    /* report only: sums since the broker started */
    uint64_t n_scans;
    uint64_t n_found;
    uint64_t n_blocked;
    uint64_t n_warned;
    uint64_t n_would_block;
    uint64_t n_unchecked;
    uint64_t n_overridden;
    double wait_seconds;              /* time that applications waited, all together */
    double broker_wait_share_seconds; /* the broker's own share of it */
    double wait_p50_seconds;          /* negative: too few questions to say */
    double wait_p95_seconds;
    double wait_p99_seconds;
    double wait_max_seconds;
};

/** One provider. Set size_bytes = sizeof before the call. */
struct pes_provider_info {
    uint32_t size_bytes;
    uint32_t state;       /* enum pes_provider_state */
    uint32_t mode;        /* enum pes_mode that it counts in */
    uint32_t is_unsigned; /* 1: runs only because unsigned modules are allowed */
    uint32_t n_workers;
    uint32_t n_kinds;
    uint64_t generation;
    const char *name;
    const char *version;
    const char *definitions;
    const char *reason;    /* why it is not ready, or what the last reload said */
    const uint32_t *kinds; /* enum pes_kind, n_kinds of them */
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
    double cpu_seconds;
    double p50_seconds; /* negative: too few to say */
    double p95_seconds;
    double p99_seconds;
    double max_seconds;
    /* report only */
    double wait_share_seconds;       /* fair share of the waiting; shares and the broker's sum to
                                        wait_seconds */
    double saved_if_removed_seconds; /* what removing it alone would have saved; does not add up */
    double busy_seconds;             /* time during which it had not answered */
    /* always */
    uint64_t refused_generation; /* the newest one that was given up, `reason` says why; 0: none */
    uint64_t newest_generation;  /* the newest one that was started; 0: none */
    uint32_t takes_beginnings;   /* 1: a stream may be answered with what it finds in its beginning;
                                    0: it needs the whole */
};

/** Something counted under a name. Set size_bytes = sizeof before the call. */
struct pes_count_info {
    uint32_t size_bytes;
    uint32_t number; /* kind or signal */
    uint64_t count;
    double wait_seconds;
    double blamed_seconds; /* share of `blamed` in that */
    const char *name;
    const char *blamed;
};

/**
 * pes_service_query() - ask for state and providers, with counts
 * @ctx:         context
 * @timeout_ms:  how long to wait; 0: 5000
 * @ret_service: on success
 *
 * Return: 0, or a negative PES_E_* (PES_E_NO_BROKER, PES_E_DEADLINE_PASSED, PES_E_PROTOCOL,
 * PES_E_NO_MEMORY).
 * Ownership: the caller frees it with pes_service_free().
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_service_query(struct pes_ctx *ctx, uint32_t timeout_ms,
                                 struct pes_service **ret_service);

/**
 * pes_service_report() - ask for the sums: who made whom wait, who found what
 * @ctx:         context
 * @timeout_ms:  how long to wait; 0: 5000
 * @ret_service: on success
 *
 * Return: as pes_service_query().
 * Ownership: the caller frees it with pes_service_free().
 * Threads: as the context.
 * Since: 0.1
 */
PES_PUBLIC int pes_service_report(struct pes_ctx *ctx, uint32_t timeout_ms,
                                  struct pes_service **ret_service);

/**
 * pes_service_free() - free it
 * @service: or NULL
 *
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC void pes_service_free(struct pes_service *service);

/**
 * pes_service_info() - state and sums
 * @service:  service
 * @ret_info: filled as far as its size_bytes reaches
 *
 * Ownership: pointers in @ret_info are the service's.
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC void pes_service_info(const struct pes_service *service,
                                 struct pes_service_info *ret_info);

/**
 * pes_service_provider() - one provider
 * @service:  service
 * @index:    0 .. n_providers - 1
 * @ret_info: filled as far as its size_bytes reaches
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT when there is no such provider.
 * Ownership: pointers in @ret_info are the service's.
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC int pes_service_provider(const struct pes_service *service, uint32_t index,
                                    struct pes_provider_info *ret_info);

/**
 * pes_service_signal() - what a provider's workers died of
 * @service:  service
 * @provider: 0 .. n_providers - 1
 * @index:    0, 1, ...
 * @ret_info: number is the signal (0: ended by itself)
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT past the last.
 * Ownership: pointers in @ret_info are the service's or static.
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC int pes_service_signal(const struct pes_service *service, uint32_t provider,
                                  uint32_t index, struct pes_count_info *ret_info);

/**
 * pes_service_kind() - one kind that was asked about (report only)
 * @service:  service
 * @index:    0 .. n_kinds - 1
 * @ret_info: number is the kind
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT past the last.
 * Ownership: pointers in @ret_info are the service's or static.
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC int pes_service_kind(const struct pes_service *service, uint32_t index,
                                struct pes_count_info *ret_info);

/**
 * pes_service_client() - one application that waited (report only)
 * @service:  service
 * @index:    0 .. n_clients - 1
 * @ret_info: with the provider that it mostly waited for
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT past the last.
 * Ownership: pointers in @ret_info are the service's.
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC int pes_service_client(const struct pes_service *service, uint32_t index,
                                  struct pes_count_info *ret_info);

/**
 * pes_service_saved_if_removed() - what removing several providers together would have saved
 * @service: report
 * @mask:    bit i stands for provider i
 *
 * Return: seconds. More than the sum of what each alone saves when they hide behind each other.
 * Threads: any one.
 * Since: 0.1
 */
PES_PUBLIC double pes_service_saved_if_removed(const struct pes_service *service, uint64_t mask);

#ifdef __cplusplus
}
#endif

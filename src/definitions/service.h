/* The running service: told to load again, and watched while it does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SERVICE_TEXT_BYTES 600

struct pes_ctx;

struct service {
    struct pes_ctx *ctx;
    const char *name; /* of the provider */
    int pidfd;        /* of pesd */
    uint64_t config_generation;
    uint64_t generation; /* the newest of the provider that was known when we came */
};

#define SERVICE_INIT                                                                               \
    {                                                                                              \
        .pidfd = -1                                                                                \
    }

enum service_outcome {
    SERVICE_SERVES = 1,      /* a new generation does */
    SERVICE_REFUSED = 2,     /* it was given up */
    SERVICE_UNCONCERNED = 3, /* no new generation was started */
    SERVICE_LATE = 4,        /* neither in time */
};

/* Finds it. False when it does not run here, or may not be told anything by us; said why. */
bool service_find(struct service *service, const char *name);

/* Learns what runs now: a later reload is judged by what comes after it. Returns 0 or -PES_E_*. */
MUST_CHECK int service_look(struct service *service);
void service_fini(struct service *service);

/*
 * Has it load everything again, and waits for what becomes of the provider. `ret_text` is what it
 * serves or why not. `ret_has_serving`: some generation of it serves.
 */
enum service_outcome service_reload(struct service *service, uint64_t timeout_s,
                                    char ret_text[SERVICE_TEXT_BYTES], bool *ret_has_serving);

/* Has it load again, and does not wait. */
void service_signal(const struct service *service);

/* One run of pes-init for a provider. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "launcher/child.h"
#include "launcher/fingerprint.h"

#define GENERATION_WHY_BYTES_MAX 640

enum generation_state {
    GENERATION_STARTING = 1,
    GENERATION_READY = 2,
    GENERATION_STOPPING = 3, /* its end is asked for, so it is no failure */
};

struct generation;

struct generation_handlers {
    void (*on_ready)(void *userdata, struct generation *generation);
    /* Its process has ended; `why` tells an administrator. Free it. */
    void (*on_exit)(void *userdata, struct generation *generation, const char *why);
};

struct generation {
    struct list node; /* in its provider */
    uint64_t number;
    enum generation_state state;
    bool is_retiring;               /* its end is planned: it does not count as one that serves */
    bool is_spare;                  /* ... but only for later, and may yet be taken back */
    struct config_provider origin;  /* what it was started from */
    struct fingerprint fingerprint; /* of that */
    bool is_accepted;               /* it may find less than the one before */
    bool is_restored;               /* it served before, and what followed it failed */
    uint64_t ready_us;              /* when it became ready */
    sd_event *event;
    struct child *init;
    int channel; /* to init */
    sd_event_source *source;
    sd_event_source *load_timer; /* while it starts */
    sd_event_source *stop_timer;
    char failure[GENERATION_WHY_BYTES_MAX]; /* what init said before it ended */
    const struct generation_handlers *handlers;
    void *userdata;
};

/* How to start it. */
struct generation_plan {
    sd_event *event;
    uint64_t number;
    const char *name;    /* of the provider */
    const char *program; /* pes-init */
    const char *host;    /* pes-host */
    int module;          /* sealed memory */
    uint32_t n_slots;
    const char *definitions; /* or NULL */
    char *const *options;    /* "KEY=VALUE" */
    size_t n_options;
    uint32_t memory_mib;  /* 0: not said */
    uint32_t scratch_mib; /* 0: none */
    uint32_t min_tier;
    uint64_t load_timeout_ms;
    bool sets_user;
    uint32_t uid;
};

/*
 * Starts init. `ret_broker_end` is the broker's end of its channel. Returns 0, or -errno with a
 * text.
 */
MUST_CHECK int generation_new(struct generation **ret, const struct generation_plan *plan,
                              const struct generation_handlers *handlers, void *userdata,
                              int *ret_broker_end, char ret_why[GENERATION_WHY_BYTES_MAX]);

/* Ends it at once if it still runs. */
void generation_free(struct generation *generation);

/* Gives init a new channel to a broker, whose end is returned in `ret_broker_end`. With `is_beside`
 * the broker of before is served on, else it is dead. */
MUST_CHECK int generation_new_broker(struct generation *generation, bool is_beside,
                                     int *ret_broker_end);

/* Asks it to end, now or in `delay_us`; it is killed when it doesn't. */
void generation_stop(struct generation *generation, uint64_t delay_us);

/* Takes the plan for a later end back. Returns false when its end is asked for already. */
bool generation_keep(struct generation *generation);

/* One broker with its helpers: identity and, on older kernels, receiver. They live and end
 * together. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "launcher/broker_link.h"
#include "launcher/child.h"
#include "launcher/front.h"

struct life;

struct life_handlers {
    void (*on_ready)(void *userdata, struct life *life, const struct wire_ready *message);
    void (*on_retire)(void *userdata, struct life *life, const char *name, uint64_t generation);
    /* The broker has ended, and nobody passes on any more what it has said; `end` says how. Free
     * it. */
    void (*on_end)(void *userdata, struct life *life, const char *end);
};

/*
 * Starts one from the programs that are there now. With `is_standby` it takes no client until it
 * is ready and life_admit() was called. Returns 0, or -errno when that failed and was logged.
 */
MUST_CHECK int life_new(struct life **ret, const struct front_place *place, bool is_standby,
                        const struct life_handlers *handlers, void *userdata);

/* Ends it at once. */
void life_free(struct life *life);

static inline void life_freep(struct life **life)
{
    life_free(*life);
}

/* The channel to its broker; NULL once that has ended. */
struct broker_link *life_link(struct life *life);

/* After a standby: clients may come. Returns 0, or -errno when that failed and was logged. */
MUST_CHECK int life_admit(struct life *life);

/* The broker takes nobody new, answers what is open and ends; its helpers are not restarted. */
void life_drain(struct life *life, uint32_t grace_ms);

/* The processes that clients reach: broker, identity and, on older kernels, receiver. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "launcher/broker_link.h"
#include "launcher/config.h"
#include "launcher/paths.h"
#include "launcher/sockets.h"

struct front;

/* Of what on_upgrade_over() is told. */
#define FRONT_NOTE_BYTES 512

struct front_handlers {
    /* A broker was started and knows nothing yet: tell it everything. `is_beside`: another one
     * serves meanwhile, and goes on with what it has. */
    void (*on_connected)(void *userdata, struct broker_link *link, bool is_beside);
    void (*on_ready)(void *userdata, const struct wire_ready *message);
    void (*on_retire)(void *userdata, const char *name, uint64_t generation);
    /* After front_drain(): the broker has ended. */
    void (*on_drained)(void *userdata);
    /* After front_upgrade(): there is one broker again. `why` it is not a new one, or NULL. */
    void (*on_upgrade_over)(void *userdata, const char *why);
};

/* What it needs; all of it outlives the front. */
struct front_place {
    sd_event *event;
    const struct paths *paths;
    const struct sockets *sockets;
    const struct config *config; /* for the users; as it is at each start */
    bool is_system;
    bool has_receiver;
};

/* Starts the processes. Returns 0, or -errno when that failed and was logged. */
MUST_CHECK int front_new(struct front **ret, const struct front_place *place,
                         const struct front_handlers *handlers, void *userdata);

/* Ends them at once. */
void front_free(struct front *front);

/* The channel to the broker of now; NULL while there is none. What is sent over it about providers
 * and configuration reaches one beside it as well. */
struct broker_link *front_link(struct front *front);

/* Replaces the broker by one from the program that is there now, without a moment without any. Not
 * while an upgrade is under way. on_upgrade_over() is called once, perhaps before this returns. */
void front_upgrade(struct front *front);

/* Whether there are two of them. */
bool front_is_upgrading(const struct front *front);

/* The end has come: the broker answers what is open and exits; nothing is restarted any more. */
void front_drain(struct front *front, uint32_t grace_ms);

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

struct front_handlers {
    /* A broker was started and knows nothing yet: tell it everything. */
    void (*on_connected)(void *userdata);
    void (*on_ready)(void *userdata, const struct wire_ready *message);
    void (*on_retire)(void *userdata, const char *name, uint64_t generation);
    /* After front_drain(): the broker has ended. */
    void (*on_drained)(void *userdata);
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

/* The channel to the broker of now; NULL while there is none. */
struct broker_link *front_link(struct front *front);

/* The end has come: the broker answers what is open and exits; nothing is restarted any more. */
void front_drain(struct front *front, uint32_t grace_ms);

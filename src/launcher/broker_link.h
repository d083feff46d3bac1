/* The channel to the broker: what the launcher tells it, and what it tells the launcher. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "wire/messages.h"

struct broker_link;

struct broker_link_handlers {
    /* Every configured provider is ready or has failed. */
    void (*on_ready)(void *userdata, const struct wire_ready *message);
    /* A generation is not needed any more. */
    void (*on_retire)(void *userdata, const char *name, uint64_t generation);
    /* It does not read, or what it says is no message: it has to be replaced. */
    void (*on_broken)(void *userdata, const char *why);
};

/* Takes the launcher's end of the pair. Returns 0, -ENOMEM or -errno; the descriptor is ours in any
 * case. */
MUST_CHECK int broker_link_new(struct broker_link **ret, sd_event *event, int fd,
                               const struct broker_link_handlers *handlers, void *userdata);

/* Closes the channel; what was not sent is forgotten. */
void broker_link_free(struct broker_link *link);

static inline void broker_link_freep(struct broker_link **link)
{
    broker_link_free(*link);
}

/*
 * While there are two brokers the other one is told the same as this: its configuration, what was
 * lost, and notes; not instances, whose channel can be given but once. Each is beside the other
 * until one of them is freed, or this is called with NULL. `link` may be NULL.
 */
void broker_link_set_beside(struct broker_link *link, struct broker_link *beside);

/* The other one, or NULL. */
struct broker_link *broker_link_beside(struct broker_link *link);

/*
 * Each queues one message, in order. `link` may be NULL: there is no broker now, and its successor
 * is told everything anew. The descriptor becomes the link's in any case.
 */
void broker_link_configure(struct broker_link *link, const struct wire_configure *message);
void broker_link_instance(struct broker_link *link, const char *name, uint64_t generation,
                          bool is_restored, bool is_accepted, int fd);
/* It goes so that the next one has room: the broker answers `restarting` until that one serves. */
void broker_link_makes_room(struct broker_link *link, const char *name, uint64_t generation,
                            const char *reason);
void broker_link_instance_lost(struct broker_link *link, const char *name, uint64_t generation,
                               const char *reason, uint32_t retry_in_ms);
void broker_link_config_note(struct broker_link *link, const char *error);
void broker_link_drain(struct broker_link *link, uint32_t grace_ms);

/* One provider, kept running: generations of its pes-init, one serving, perhaps one coming up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "launcher/broker_link.h"
#include "launcher/config.h"
#include "launcher/paths.h"

struct provider;

/* What providers need; all of it outlives them. */
struct provider_place {
    sd_event *event;
    const struct paths *paths;
    const struct config *config; /* the one in force */
    const char *config_folder;   /* with keys.d; NULL: there is none */
    bool is_system;
    int tier; /* of what is started here, as it was tried out */
    /* The channel to the broker of now, or NULL. */
    struct broker_link *(*link)(void *userdata);
    /* A generation has ended, or begun to serve; asked for at the end of everything. */
    void (*on_changed)(void *userdata);
    void *userdata;
};

/* `uid_index`: which of the uids for providers is its own, for as long as it exists. */
MUST_CHECK int provider_new(struct provider **ret, const struct provider_place *place,
                            const char *name, uint32_t uid_index);
void provider_free(struct provider *provider);

static inline void provider_freep(struct provider **provider)
{
    provider_free(*provider);
}

const char *provider_name(const struct provider *provider);
uint32_t provider_uid_index(const struct provider *provider);

/* Starts a generation for the configuration that `config` is now, unless one was started from just
 * that; one that serves goes on serving until the new one does. */
void provider_start(struct provider *provider, const struct config_provider *config);

/* The configuration doesn't want it any more: what runs ends when the broker has let go of it. */
void provider_retire_all(struct provider *provider);

/* Tells a new broker what there is; each living init gets a new channel. With `is_beside` another
 * broker goes on with what it has. */
void provider_announce(struct provider *provider, struct broker_link *link, bool is_beside);

/* Whether a generation is about to take the place of another, or loads for the first time. */
bool provider_is_changing(const struct provider *provider);

/* The broker has no more use for a generation. */
void provider_retire(struct provider *provider, uint64_t generation);

/* Asks every generation to end; nothing is started any more. */
void provider_stop(struct provider *provider);
void provider_kill(struct provider *provider);

/* How many processes of it there are. */
size_t provider_n_generations(const struct provider *provider);

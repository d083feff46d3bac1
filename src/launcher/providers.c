/*
 * The set of providers, as the configuration in force wants it.
 *
 * A provider keeps its place, and with it its uid, from its first start until its last process has
 * ended: a newcomer never gets the uid of one that still runs.
 */
#include "launcher/providers.h"

#include <string.h>

#include "log/log.h"

static const struct config_provider *find_config(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_providers; i++) {
        if (strcmp(config->providers[i].name, name) == 0) {
            return config->providers[i].is_enabled ? &config->providers[i] : NULL;
        }
    }
    return NULL;
}

static struct provider *find(struct providers *providers, const char *name)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        if (providers->items[i] && strcmp(provider_name(providers->items[i]), name) == 0) {
            return providers->items[i];
        }
    }
    return NULL;
}

static struct provider *add(struct providers *providers, const char *name)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        if (!providers->items[i]) {
            int r = provider_new(&providers->items[i], &providers->place, name, i);

            return r == 0 ? providers->items[i] : NULL;
        }
    }
    return NULL;
}

size_t providers_sweep(struct providers *providers)
{
    size_t n_generations = 0;

    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        struct provider *provider = providers->items[i];
        size_t n = provider ? provider_n_generations(provider) : 0;

        if (provider && n == 0 && !find_config(providers->place.config, provider_name(provider))) {
            provider_free(provider);
            providers->items[i] = NULL;
        }
        n_generations += n;
    }
    return n_generations;
}

void providers_apply(struct providers *providers)
{
    const struct config *config = providers->place.config;

    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        struct provider *provider = providers->items[i];

        if (provider && !find_config(config, provider_name(provider))) {
            provider_retire_all(provider);
        }
    }
    (void)providers_sweep(providers);
    for (size_t i = 0; i < config->n_providers; i++) {
        const struct config_provider *wanted = &config->providers[i];
        struct provider *provider;

        if (!wanted->is_enabled) {
            continue;
        }
        provider = find(providers, wanted->name);
        provider = provider ? provider : add(providers, wanted->name);
        if (provider) {
            provider_start(provider, wanted);
        } else {
            log_event(LOG_ERR, EV_PROVIDER_FAILED,
                      "no room for provider '%s' until others have ended; reload later",
                      wanted->name);
        }
    }
}

void providers_announce(struct providers *providers, struct broker_link *link, bool is_beside)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        if (providers->items[i]) {
            provider_announce(providers->items[i], link, is_beside);
        }
    }
}

bool providers_are_changing(const struct providers *providers)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        if (providers->items[i] && provider_is_changing(providers->items[i])) {
            return true;
        }
    }
    return false;
}

void providers_retire(struct providers *providers, const char *name, uint64_t generation)
{
    struct provider *provider = find(providers, name);

    if (provider) {
        provider_retire(provider, generation);
    }
}

void providers_stop(struct providers *providers)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        if (providers->items[i]) {
            provider_stop(providers->items[i]);
        }
    }
}

void providers_kill(struct providers *providers)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        if (providers->items[i]) {
            provider_kill(providers->items[i]);
        }
    }
}

void providers_fini(struct providers *providers)
{
    for (uint32_t i = 0; i < CONFIG_PROVIDER_UIDS; i++) {
        provider_free(providers->items[i]);
        providers->items[i] = NULL;
    }
}

/* All providers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/provider.h"

struct providers {
    struct provider_place place;
    struct provider *items[CONFIG_PROVIDER_UIDS]; /* by uid index; NULL: free */
};

/* Starts what the configuration in force wants, anew if it runs already, and ends what it
 * doesn't. */
void providers_apply(struct providers *providers);

void providers_announce(struct providers *providers, struct broker_link *link, bool is_beside);
bool providers_are_changing(const struct providers *providers);
void providers_retire(struct providers *providers, const char *name, uint64_t generation);
void providers_stop(struct providers *providers);
void providers_kill(struct providers *providers);

/* Forgets those that are not wanted and have ended. Returns how many generations there are. */
size_t providers_sweep(struct providers *providers);

void providers_fini(struct providers *providers);

/* Slots of workers: which worker may take what, and how it is started and ended. */
#pragma once

#include <stdint.h>

#include "broker/provider.h"

/* Asks for a fresh worker in an empty slot. */
void slot_spawn(struct core *core, struct instance *instance, struct slot *slot);

/* Ends the worker; the slot is empty when init has said how it ended. */
void slot_kill(struct core *core, struct instance *instance, struct slot *slot);

/* The best free slot for a user: one that is its own, else a fresh one, else NULL. */
struct slot *slot_find(struct instance *instance, uint32_t uid);

/* Ends a free worker of another user, so that its successor can serve somebody else. */
void slot_recycle(struct core *core, struct instance *instance);

/* Whether any worker has nothing to do. */
bool slot_any_free(const struct instance *instance);

/* Workers that were ended: so many fresh ones come. */
size_t slot_n_coming(const struct instance *instance);

/* Workers that work for a user. */
size_t slot_n_busy(const struct instance *instance, uint32_t uid);

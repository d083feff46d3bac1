/*
 * Slots of workers.
 *
 * A worker serves one user; a part of another user's question makes it be replaced first. A slot is
 * filled again only when init has said how its last worker ended, so that slot and generation
 * always name one process.
 */
#include "broker/slot.h"

#include "broker/core.h"

void slot_spawn(struct core *core, struct instance *instance, struct slot *slot)
{
    struct action *action;

    slot->state = SLOT_SPAWNING;
    slot->generation = ++instance->last_slot_generation;
    slot->has_uid = false;
    slot->n_scans = 0;
    slot->cpu_us = 0;
    slot->part = NULL;
    slot->is_broken = false;
    action = action_list_add(core->actions, ACTION_WORKER_SPAWN);
    action->instance = instance->handle;
    action->slot = slot->index;
    action->generation = slot->generation;
}

void slot_kill(struct core *core, struct instance *instance, struct slot *slot)
{
    struct action *action = action_list_add(core->actions, ACTION_WORKER_KILL);

    slot->state = SLOT_DYING;
    action->instance = instance->handle;
    action->slot = slot->index;
    action->generation = slot->generation;
}

static bool slot_is_free(const struct slot *slot)
{
    return (slot->state == SLOT_SPAWNING || slot->state == SLOT_LIVE) && !slot->part;
}

struct slot *slot_find(struct instance *instance, uint32_t uid)
{
    struct slot *fresh = NULL;

    for (size_t i = 0; i < instance->n_slots; i++) {
        struct slot *slot = &instance->slots[i];

        if (!slot_is_free(slot)) {
            continue;
        }
        if (slot->has_uid && slot->uid == uid) {
            return slot;
        }
        if (!slot->has_uid && !fresh) {
            fresh = slot;
        }
    }
    return fresh;
}

void slot_recycle(struct core *core, struct instance *instance)
{
    for (size_t i = 0; i < instance->n_slots; i++) {
        if (slot_is_free(&instance->slots[i])) {
            slot_kill(core, instance, &instance->slots[i]);
            return;
        }
    }
}

bool slot_any_free(const struct instance *instance)
{
    for (size_t i = 0; i < instance->n_slots; i++) {
        if (slot_is_free(&instance->slots[i])) {
            return true;
        }
    }
    return false;
}

size_t slot_n_coming(const struct instance *instance)
{
    size_t n = 0;

    for (size_t i = 0; i < instance->n_slots; i++) {
        n += instance->slots[i].state == SLOT_DYING;
    }
    return n;
}

size_t slot_n_busy(const struct instance *instance, uint32_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < instance->n_slots; i++) {
        n += instance->slots[i].part && instance->slots[i].uid == uid;
    }
    return n;
}

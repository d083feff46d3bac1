/*
 * A serial swap.
 *
 * Usually the next generation of a provider is loaded beside the one that serves. Where memory does
 * not hold two, or `swap = serial` says so, the one that serves is ended first. Questions get
 * `restarting` for the provider in the meantime. Should the next one fail, what served is started
 * again, from the copy kept here of what it was started from. This file remembers and decides;
 * launcher/provider.c starts and ends.
 */
#include "launcher/swap.h"

#include <stdio.h>

#include "launcher/config_provider.h"
#include "launcher/origin.h"
#include "launcher/room.h"

#define MIB (UINT64_C(1) << 20)

void swap_clear(struct swap *swap)
{
    config_provider_fini(&swap->before);
    *swap = (struct swap){0};
}

int swap_remember(struct swap *swap, const struct generation *serving)
{
    struct config_provider before;
    int r = origin_take(&before, &serving->origin);

    if (r < 0) {
        return r;
    }
    swap_clear(swap);
    swap->before = before;
    swap->has_before = true;
    return 0;
}

bool swap_is_needed(enum config_swap wish, const struct generation *old,
                    char ret_why[GENERATION_WHY_BYTES_MAX])
{
    uint64_t taken;
    uint64_t left;

    switch (wish) {
    case CONFIG_SWAP_PARALLEL:
        return false;
    case CONFIG_SWAP_SERIAL:
        snprintf(ret_why, GENERATION_WHY_BYTES_MAX,
                 "it makes room for the next generation, as swap = serial says");
        return true;
    case CONFIG_SWAP_AUTO:
        break;
    }
    taken = room_taken_bytes(child_pid(old->init));
    left = room_available_bytes("");
    snprintf(ret_why, GENERATION_WHY_BYTES_MAX,
             "it makes room for the next generation: it takes %llu MiB, and %llu MiB are free",
             (unsigned long long)(taken / MIB), (unsigned long long)(left / MIB));
    return !room_is_enough(taken, left);
}

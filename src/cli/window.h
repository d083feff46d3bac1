/* Many questions under way at once, their answers in the order of the items. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "cli/items.h"
#include "cli/scan_options.h"

struct pes_ctx;
struct pes_answer;

/* One item and what became of it. Borrowed: gone after the call. */
struct window_result {
    const struct item *item;
    uint32_t kind;
    struct pes_answer *answer; /* NULL: item->problem says why */
};

struct window_callbacks {
    /* Called once per item, in order. Return: 0 to go on, positive to stop. */
    int (*on_result)(const struct window_result *result, void *userdata);
    /* Called before each wait. @is_starved: nothing more will happen until more input comes.
     * Return: milliseconds until it wants to be called again, or -1. */
    int (*on_wait)(bool is_starved, void *userdata);
    void *userdata;
};

MUST_CHECK int window_run(struct pes_ctx *ctx, struct items *items,
                          const struct scan_options *options,
                          const struct window_callbacks *callbacks);

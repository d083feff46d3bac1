/* A serial swap: what served is ended first, and started again when what follows it fails. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "launcher/config.h"
#include "launcher/generation.h"

struct swap {
    bool has_before;
    struct config_provider before; /* what served, while has_before */
    uint64_t trial;                /* the generation that follows it; 0: none yet */
    bool is_waiting;               /* for the end of what makes room */
    bool is_restoring;             /* what is started next is `before` */
};

/* Forgets it. */
void swap_clear(struct swap *swap);

/* `serving` will be ended. Returns 0 or -ENOMEM, and then it must not be. */
MUST_CHECK int swap_remember(struct swap *swap, const struct generation *serving);

/* Whether something like `old` has to be ended before the next one is loaded; `ret_why` tells an
 * administrator. */
bool swap_is_needed(enum config_swap wish, const struct generation *old,
                    char ret_why[GENERATION_WHY_BYTES_MAX]);

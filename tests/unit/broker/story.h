/* What each story of the core begins with: two providers, p0 and p1, that serve, and one client. */
#pragma once

#include <stdlib.h>

#include "testing.h"
#include "world.h"

#define SECOND UINT64_C(1000000)

static inline int set_up(void **state)
{
    struct world *world = malloc(sizeof(*world));

    world_init(world, 42);
    world_configure(world, 2, 2);
    world_start_provider(world, 0, 1, 1);
    world_start_provider(world, 1, 2, 1);
    world_connect(world, 1, 1000, PES_CAN_STOP | PES_CAN_ASK);
    *state = world;
    return 0;
}

static inline int tear_down(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

/* The slot of an instance that works, for tests that have one question under way. */
static inline uint32_t busy_slot(const struct world *world, uint32_t instance)
{
    for (uint32_t i = 0; i < PROVIDER_SLOTS_MAX; i++) {
        if (world->instances[instance].workers[i].scan) {
            return i;
        }
    }
    fail_msg("no worker of instance %u works", instance);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

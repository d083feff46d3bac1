/*
 * The broker's core, asked N times about some bytes with one provider that answers at once: for
 * counting the instructions of core_step() (bench/guard). The world around it is the tests'.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pes/enums.h>

#include "world.h"

#define ASKS_MAX (WORLD_ASKS - 1)

static void ask_once(struct world *world)
{
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 1000000, 0);
    for (uint32_t slot = 0; slot < PROVIDER_SLOTS_MAX; slot++) {
        if (world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED)) {
            return;
        }
    }
    fputs("guard: no worker was asked\n", stderr);
    exit(1);
}

int main(int argc, char **argv)
{
    static struct world world;
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

    if (n < 1 || n > ASKS_MAX) {
        fprintf(stderr, "usage: guard_broker N, 1 to %u\n", (unsigned)ASKS_MAX);
        return 2;
    }
    world_init(&world, 42);
    world_configure(&world, 1, 2);
    world_start_provider(&world, 0, 1, 1);
    world_connect(&world, 1, 1000, PES_CAN_STOP);
    for (unsigned long i = 0; i < n; i++) {
        ask_once(&world);
    }
    if (world.clients[1].n_answers != n) {
        fputs("guard: not every question was answered\n", stderr);
        return 1;
    }
    world_fini(&world);
    return 0;
}

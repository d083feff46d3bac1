/* Which worker is in which slot, and of which generation. Each broker has its own slots: those of
 * the second follow those of the first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/init_channel.h"

enum slot_state {
    SLOT_FREE = 0,
    SLOT_FORKING = 1, /* the zygote was asked and has not answered */
    SLOT_LIVE = 2,    /* pid is our child */
};

struct slot {
    enum slot_state state;
    uint64_t generation;
    pid_t pid;
    bool is_unwanted;    /* to be killed, or being killed */
    bool is_unannounced; /* of a broker that is gone: nobody is told of its end */
    uint64_t fork_by_us; /* SLOT_FORKING: the zygote hangs if it has not answered by then */
};

struct slot_table {
    struct slot slots[INIT_BROKERS_MAX * INIT_SLOTS_MAX];
    size_t n_slots; /* of all brokers */
};

/* The slot with this number, or NULL. */
struct slot *slot_table_get(struct slot_table *table, uint32_t number);

/* The living slot with this pid, or NULL. */
struct slot *slot_table_by_pid(struct slot_table *table, pid_t pid);

/* How many are not free. */
size_t slot_table_n_busy(const struct slot_table *table);

/* When the zygote must have answered, at the earliest; UINT64_MAX when it owes nothing. */
uint64_t slot_table_fork_by_us(const struct slot_table *table);

uint32_t slot_table_number(const struct slot_table *table, const struct slot *slot);

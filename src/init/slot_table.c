/*
 * The slots of one provider's workers. A slot has at most one worker; the broker names it by number
 * and generation, init knows its pid. A number or generation from outside that fits nothing finds
 * nothing.
 */
#include "init/slot_table.h"

struct slot *slot_table_get(struct slot_table *table, uint32_t number)
{
    return number < table->n_slots ? &table->slots[number] : NULL;
}

struct slot *slot_table_by_pid(struct slot_table *table, pid_t pid)
{
    for (size_t i = 0; i < table->n_slots; i++) {
        if (table->slots[i].state == SLOT_LIVE && table->slots[i].pid == pid) {
            return &table->slots[i];
        }
    }
    return NULL;
}

size_t slot_table_n_busy(const struct slot_table *table)
{
    size_t n = 0;

    for (size_t i = 0; i < table->n_slots; i++) {
        n += table->slots[i].state != SLOT_FREE;
    }
    return n;
}

uint64_t slot_table_fork_by_us(const struct slot_table *table)
{
    uint64_t by_us = UINT64_MAX;

    for (size_t i = 0; i < table->n_slots; i++) {
        if (table->slots[i].state == SLOT_FORKING && table->slots[i].fork_by_us < by_us) {
            by_us = table->slots[i].fork_by_us;
        }
    }
    return by_us;
}

uint32_t slot_table_number(const struct slot_table *table, const struct slot *slot)
{
    return (uint32_t)(slot - table->slots);
}

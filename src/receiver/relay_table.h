/*
 * How many relays run, in all and for each user. How many connections one may have is the broker's
 * to say: it closes those over the limit, and their relays end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Twice what one user can be configured to have (max-sessions-per-uid): see below. */
#define RELAY_TABLE_MAX 8192u

struct relay_table {
    size_t n;
    struct {
        pid_t pid;
        uid_t uid;
    } rows[RELAY_TABLE_MAX];
};

/* Whether there is room for one more of this user: never may one have more than would then be left
 * for all others. */
bool relay_table_has_room(const struct relay_table *table, uid_t uid);

/* Notes one; there must be room. */
void relay_table_add(struct relay_table *table, pid_t pid, uid_t uid);

/* Forgets one that has ended; one that is not known is nothing. */
void relay_table_remove(struct relay_table *table, pid_t pid);

/* How many relays run, in all and for each user. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RELAY_TABLE_MAX         1024u
#define RELAY_TABLE_PER_UID_MAX 64u

struct relay_table {
    size_t n;
    struct {
        pid_t pid;
        uid_t uid;
    } rows[RELAY_TABLE_MAX];
};

/* Whether one more for this user is within both limits. */
bool relay_table_has_room(const struct relay_table *table, uid_t uid);

/* Notes one; there must be room. */
void relay_table_add(struct relay_table *table, pid_t pid, uid_t uid);

/* Forgets one that has ended; one that is not known is nothing. */
void relay_table_remove(struct relay_table *table, pid_t pid);

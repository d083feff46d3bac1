/*
 * Counts relays. A walk over some thousand rows per connection is nothing beside the fork.
 */
#include "receiver/relay_table.h"

#include <assert.h>

bool relay_table_has_room(const struct relay_table *table, uid_t uid)
{
    size_t n_left = RELAY_TABLE_MAX - table->n;
    size_t n_same = 0;

    for (size_t i = 0; i < table->n; i++) {
        n_same += table->rows[i].uid == uid;
    }
    return n_left > 0 && (n_same + 1 <= n_left - 1 || n_same == 0);
}

void relay_table_add(struct relay_table *table, pid_t pid, uid_t uid)
{
    assert(table->n < RELAY_TABLE_MAX);
    table->rows[table->n].pid = pid;
    table->rows[table->n].uid = uid;
    table->n++;
}

void relay_table_remove(struct relay_table *table, pid_t pid)
{
    for (size_t i = 0; i < table->n; i++) {
        if (table->rows[i].pid == pid) {
            table->rows[i] = table->rows[--table->n];
            return;
        }
    }
}

/* Findings and what was not checked, as a table for people. */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "cli/window.h"

struct scan_table;

MUST_CHECK int scan_table_new(struct scan_table **ret_table, bool is_verbose);
void scan_table_free(struct scan_table *table);

/* Adds what is worth telling about one result. Nothing is printed yet. */
MUST_CHECK int scan_table_add(struct scan_table *table, const struct window_result *result);

/* Whether there are so many rows that they should be printed now. */
bool scan_table_is_full(const struct scan_table *table);
bool scan_table_is_empty(const struct scan_table *table);

/* Prints the rows so far and forgets them. */
MUST_CHECK int scan_table_flush(struct scan_table *table);

static inline void scan_table_freep(struct scan_table **table)
{
    scan_table_free(*table);
}

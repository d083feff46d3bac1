/* Aligned columns. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct libscols_table;

struct table_column {
    const char *heading;
    int is_right; /* numbers stand at the right */
};

MUST_CHECK int table_new(struct libscols_table **ret_table, const struct table_column *columns,
                         size_t n_columns);
void table_freep(struct libscols_table **table);

/* Adds a row of @n_cells texts; NULL is an empty cell. */
MUST_CHECK int table_add(struct libscols_table *table, const char *const *cells, size_t n_cells);

/* Whether the line with the headings is printed; it is unless told otherwise. */
void table_set_headings(struct libscols_table *table, int is_on);

/* Prints it all to stdout. */
MUST_CHECK int table_print(struct libscols_table *table);

/* The same as text, one line per row, which the caller frees. */
MUST_CHECK int table_to_string(struct libscols_table *table, char **ret_text);

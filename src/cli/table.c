/*
 * Aligned columns, with libsmartcols.
 *
 * Nothing is cut to the width of the terminal: a detection's name or a path that lost its end is of
 * no use. Cells must be safe text already: libsmartcols lets direction overrides through.
 */
#include "cli/table.h"

#include <libsmartcols.h>
#include <stdio.h>

int table_new(struct libscols_table **ret_table, const struct table_column *columns,
              size_t n_columns)
{
    CLEANUP(table_freep) struct libscols_table *table = scols_new_table();

    if (!table) {
        return -ENOMEM;
    }
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    scols_table_set_column_separator(table, "  ");
    for (size_t i = 0; i < n_columns; i++) {
        struct libscols_column *column = scols_table_new_column(
            table, columns[i].heading, 0, columns[i].is_right ? SCOLS_FL_RIGHT : 0);

        /* Our escapes are text already; it would escape their backslash once more. */
        if (!column || scols_column_set_safechars(column, "\\") < 0) {
            return -ENOMEM;
        }
    }
    *ret_table = TAKE_PTR(table);
    return 0;
}

void table_freep(struct libscols_table **table)
{
    scols_unref_table(*table);
}

int table_add(struct libscols_table *table, const char *const *cells, size_t n_cells)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    if (!line) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n_cells; i++) {
        if (scols_line_set_data(line, i, cells[i] ? cells[i] : "") < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

void table_set_headings(struct libscols_table *table, int is_on)
{
    scols_table_enable_noheadings(table, !is_on);
}

int table_print(struct libscols_table *table)
{
    return scols_print_table(table) < 0 ? -ENOMEM : 0;
}

int table_to_string(struct libscols_table *table, char **ret_text)
{
    return scols_print_table_to_string(table, ret_text) < 0 ? -ENOMEM : 0;
}

/*
 * Looks up names and numbers of the registry, for people, logs, configuration files and routing.
 *
 * The rows live in names.c, in order of number as the registry has them. The tables are short (the
 * longest has some fifty rows), so every search is a plain walk. Nothing here knows what a number
 * means; a number without a name is the caller's to show as a number.
 */
#include "wire/name_table.h"

#include <string.h>

const char *name_of(const struct name_table *table, uint32_t number)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        if (table->rows[i].number == number) {
            return table->rows[i].name;
        }
    }
    return NULL;
}

bool name_number(const struct name_table *table, const char *name, uint32_t *ret_number)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        if (strcmp(table->rows[i].name, name) == 0) {
            *ret_number = table->rows[i].number;
            return true;
        }
    }
    return false;
}

const struct kind_info *kind_by_number(uint32_t number)
{
    for (size_t i = 0; i < wire_n_kinds; i++) {
        if (wire_kinds[i].number == number) {
            return &wire_kinds[i];
        }
    }
    return NULL;
}

const struct kind_info *kind_by_name(const char *name)
{
    for (size_t i = 0; i < wire_n_kinds; i++) {
        if (strcmp(wire_kinds[i].name, name) == 0) {
            return &wire_kinds[i];
        }
    }
    return NULL;
}

bool kind_pattern_matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);

    if (strcmp(pattern, "*") == 0) {
        return true;
    }
    if (n >= 2 && strcmp(pattern + n - 2, ".*") == 0) {
        return strncmp(pattern, name, n - 1) == 0; /* with its dot: "script.*" is not "scripts" */
    }
    return strcmp(pattern, name) == 0;
}

const struct field_info *field_by_number(uint32_t number)
{
    for (size_t i = 0; i < wire_n_fields; i++) {
        if (wire_fields[i].number == number) {
            return &wire_fields[i];
        }
    }
    return NULL;
}

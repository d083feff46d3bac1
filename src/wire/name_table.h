/* Names of numbers, for people and logs. The rows are written by tools/gen_registry. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_row {
    uint32_t number;
    const char *name;
};

struct name_table {
    const struct name_row *rows;
    size_t n_rows;
};

/* The name of a number, or NULL. */
const char *name_of(const struct name_table *table, uint32_t number);

/* The number of a name; false if there is none. */
bool name_number(const struct name_table *table, const char *name, uint32_t *ret_number);

struct kind_info {
    uint32_t number;
    uint32_t since;        /* registry version that brought it */
    uint32_t is_execution; /* going ahead lets something run */
    const char *name;
    const char *doc;
};

extern const struct kind_info wire_kinds[];
extern const size_t wire_n_kinds;

/* The kind with this number or name, or NULL. */
const struct kind_info *kind_by_number(uint32_t number);
const struct kind_info *kind_by_name(const char *name);

/* Whether `pattern` ("script.shell" or "script.*") covers the kind called `name`. */
bool kind_pattern_matches(const char *pattern, const char *name);

/* Whether somebody objects; a verdict that the registry does not know counts as an objection. */
bool verdict_is_finding(uint32_t verdict);

enum field_type {
    FIELD_TEXT = 1,
    FIELD_NUMBER = 2,
};

struct field_info {
    uint32_t number;
    enum field_type type;
    const char *name;
};

extern const struct field_info wire_fields[];
extern const size_t wire_n_fields;

/* The context field with this number, or NULL. */
const struct field_info *field_by_number(uint32_t number);

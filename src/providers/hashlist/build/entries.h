/* All entries of a list that is being built, in memory: rows, what they are called, from where. */
#pragma once

#include "providers/hashlist/list_format.h"

struct entry_label {
    uint32_t name_at;
    uint16_t n_name;
    uint16_t source;
};

struct entries {
    struct entry_rows {
        uint8_t *rows; /* digest and word, as in the file */
        size_t n_rows;
        size_t n_room;
    } tables[LIST_N_ALGORITHMS];
    struct entry_label *labels;
    size_t n_labels;
    size_t n_label_room;
    char *names;
    size_t n_names;
    size_t n_name_room;
    uint32_t *slots; /* label numbers + 1 by hash of source and name; a power of two of them */
    size_t n_slots;
    uint64_t n_duplicates[LIST_SOURCES_MAX]; /* by source, after entries_sort() */
};

void entries_fini(struct entries *entries);

/* The number of the label of this name (at most LIST_NAME_BYTES_MAX) and source. 0, -ENOMEM,
 * -E2BIG.
 */
int entries_label(struct entries *entries, uint16_t source, const char *name, size_t n_name,
                  uint32_t *ret_label);

/* Adds a row. 0, -ENOMEM or -E2BIG. */
int entries_add(struct entries *entries, enum list_algorithm algorithm, const uint8_t *digest,
                enum list_action action, uint32_t label);

/* Sorts, and leaves one row for each digest: the test entry, or the one from the first source. */
void entries_sort(struct entries *entries);

/* After entries_sort(): the row of a digest, or NULL. */
const uint8_t *entries_find(const struct entries *entries, enum list_algorithm algorithm,
                            const uint8_t *digest);

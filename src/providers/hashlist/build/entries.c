/*
 * entries: what will be in the list, kept in memory until it is sorted.
 *
 * A row is what it will be in the file, 36 bytes with SHA-256, and rows are sorted in place by
 * their leading bytes, which of digests are as good as random: ten million take 360 MB and no
 * second copy. Names are kept once for each source. Digests that somebody chose to be alike only
 * make the sort go deeper, never quadratic.
 *
 * Which of several rows with one digest stays does not depend on the order of the lines: a test
 * entry, else the lowest word, which is the first source's.
 */
#include "providers/hashlist/build/entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEW_ROWS 24u

void entries_fini(struct entries *entries)
{
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        free(entries->tables[i].rows);
    }
    free(entries->labels);
    free(entries->names);
    free(entries->slots);
    memset(entries, 0, sizeof(*entries));
}

/* Room for `n` more things of `size`. Grows by half; pages that are not written cost nothing. */
static int grow(void *array, size_t *n_room, size_t n_used, size_t n, size_t size)
{
    void **memory = array;
    size_t n_wanted = *n_room + *n_room / 2;
    void *grown;

    if (n_used + n <= *n_room) {
        return 0;
    }
    n_wanted = n_wanted < n_used + n ? n_used + n : n_wanted;
    n_wanted = n_wanted < 1024 ? 1024 : n_wanted;
    grown = reallocarray(*memory, n_wanted, size);
    if (!grown) {
        return -ENOMEM;
    }
    *memory = grown;
    *n_room = n_wanted;
    return 0;
}

/* ---- labels ---- */

static uint64_t label_hash(uint16_t source, const char *name, size_t n_name)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ source;

    for (size_t i = 0; i < n_name; i++) {
        hash = (hash ^ (uint8_t)name[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct entries *entries, const struct entry_label *label)
{
    return label_hash(label->source, entries->names + label->name_at, label->n_name);
}

static int slots_grow(struct entries *entries)
{
    size_t n_slots = entries->n_slots ? 2 * entries->n_slots : 1024;
    uint32_t *slots;

    if (2 * (entries->n_labels + 1) <= entries->n_slots) {
        return 0;
    }
    slots = calloc(n_slots, sizeof(*slots));
    if (!slots) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < entries->n_labels; i++) {
        size_t at = hash_of(entries, &entries->labels[i]) & (n_slots - 1);

        while (slots[at] != 0) {
            at = (at + 1) & (n_slots - 1);
        }
        slots[at] = (uint32_t)i + 1;
    }
    free(entries->slots);
    entries->slots = slots;
    entries->n_slots = n_slots;
    return 0;
}

static int label_add(struct entries *entries, uint16_t source, const char *name, size_t n_name)
{
    if (entries->n_labels == LIST_LABEL_MASK || entries->n_names > UINT32_MAX - n_name) {
        return -E2BIG;
    }
    if (grow(&entries->labels, &entries->n_label_room, entries->n_labels, 1,
             sizeof(*entries->labels)) < 0 ||
        grow(&entries->names, &entries->n_name_room, entries->n_names, n_name, 1) < 0) {
        return -ENOMEM;
    }
    entries->labels[entries->n_labels++] = (struct entry_label){
        .name_at = (uint32_t)entries->n_names, .n_name = (uint16_t)n_name, .source = source};
    if (n_name > 0) {
        memcpy(entries->names + entries->n_names, name, n_name);
    }
    entries->n_names += n_name;
    return 0;
}

int entries_label(struct entries *entries, uint16_t source, const char *name, size_t n_name,
                  uint32_t *ret_label)
{
    int r = slots_grow(entries);
    size_t at;

    if (r < 0) {
        return r;
    }
    at = label_hash(source, name, n_name) & (entries->n_slots - 1);
    while (entries->slots[at] != 0) {
        const struct entry_label *label = &entries->labels[entries->slots[at] - 1];

        if (label->source == source && label->n_name == n_name &&
            memcmp(entries->names + label->name_at, name, n_name) == 0) {
            *ret_label = entries->slots[at] - 1;
            return 0;
        }
        at = (at + 1) & (entries->n_slots - 1);
    }
    r = label_add(entries, source, name, n_name);
    if (r < 0) {
        return r;
    }
    entries->slots[at] = (uint32_t)entries->n_labels;
    *ret_label = (uint32_t)entries->n_labels - 1;
    return 0;
}

/* ---- rows ---- */

int entries_add(struct entries *entries, enum list_algorithm algorithm, const uint8_t *digest,
                enum list_action action, uint32_t label)
{
    struct entry_rows *table = &entries->tables[algorithm];
    size_t n_digest = list_digest_bytes(algorithm);
    uint8_t *row;

    if (table->n_rows == LIST_ROWS_MAX) {
        return -E2BIG;
    }
    if (grow(&table->rows, &table->n_room, table->n_rows, 1, n_digest + 4) < 0) {
        return -ENOMEM;
    }
    row = table->rows + table->n_rows++ * (n_digest + 4);
    memcpy(row, digest, n_digest);
    list_put32(row + n_digest, (uint32_t)action << LIST_ACTION_SHIFT | label);
    return 0;
}

static int compare_rows(const uint8_t *a, const uint8_t *b, size_t n_digest)
{
    int order = memcmp(a, b, n_digest);
    uint32_t x = list_get32(a + n_digest);
    uint32_t y = list_get32(b + n_digest);

    return order ? order : (x > y) - (x < y);
}

static void sort_few(uint8_t *rows, size_t n, size_t n_digest)
{
    size_t size = n_digest + 4;
    uint8_t row[LIST_DIGEST_BYTES_MAX + 4];

    for (size_t i = 1; i < n; i++) {
        size_t at = i;

        memcpy(row, rows + i * size, size);
        while (at > 0 && compare_rows(rows + (at - 1) * size, row, n_digest) > 0) {
            at--;
        }
        memmove(rows + (at + 1) * size, rows + at * size, (i - at) * size);
        memcpy(rows + at * size, row, size);
    }
}

static int compare_words(const void *a, const void *b, void *n_digest)
{
    uint32_t x = list_get32((const uint8_t *)a + *(const size_t *)n_digest);
    uint32_t y = list_get32((const uint8_t *)b + *(const size_t *)n_digest);

    return (x > y) - (x < y);
}

static void swap_rows(uint8_t *a, uint8_t *b, size_t size)
{
    uint8_t row[LIST_DIGEST_BYTES_MAX + 4];

    memcpy(row, a, size);
    memcpy(a, b, size);
    memcpy(b, row, size);
}

/* Radix sort in place, highest byte first (American flag sort). */
static void sort_rows(uint8_t *rows, size_t n, size_t n_digest, size_t depth)
{
    size_t size = n_digest + 4;
    size_t ends[256] = {0};
    size_t next[256];

    if (n <= FEW_ROWS) {
        sort_few(rows, n, n_digest);
        return;
    }
    if (depth == n_digest) {
        qsort_r(rows, n, size, compare_words, &n_digest);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        ends[rows[i * size + depth]]++;
    }
    for (size_t b = 0, at = 0; b < 256; b++) {
        next[b] = at;
        at += ends[b];
        ends[b] = at;
    }
    for (size_t b = 0; b < 256; b++) {
        while (next[b] < ends[b]) {
            uint8_t *row = rows + next[b] * size;
            uint8_t home = row[depth];

            if (home == b) {
                next[b]++;
            } else {
                swap_rows(row, rows + next[home]++ * size, size);
            }
        }
    }
    for (size_t b = 0; b < 256; b++) {
        size_t start = b == 0 ? 0 : ends[b - 1];

        if (ends[b] - start > 1) {
            sort_rows(rows + start * size, ends[b] - start, n_digest, depth + 1);
        }
    }
}

/* Without labels, the word's label is the source itself. */
static uint16_t source_of(const struct entries *entries, const uint8_t *row, size_t n_digest)
{
    uint32_t label = list_get32(row + n_digest) & LIST_LABEL_MASK;

    return label < entries->n_labels ? entries->labels[label].source : (uint16_t)label;
}

static void drop_duplicates(struct entries *entries, struct entry_rows *table, size_t n_digest)
{
    size_t size = n_digest + 4;
    size_t n_kept = 0;

    for (size_t i = 0; i < table->n_rows; i++) {
        uint8_t *row = table->rows + i * size;
        uint8_t *last = n_kept > 0 ? table->rows + (n_kept - 1) * size : NULL;

        if (!last || memcmp(last, row, n_digest) != 0) {
            memmove(table->rows + n_kept++ * size, row, size);
            continue;
        }
        /* Sorted by word, a test entry comes after the others, and takes their place. */
        if (list_get32(row + n_digest) >> LIST_ACTION_SHIFT == LIST_TEST &&
            list_get32(last + n_digest) >> LIST_ACTION_SHIFT != LIST_TEST) {
            swap_rows(last, row, size);
        }
        entries->n_duplicates[source_of(entries, row, n_digest)]++;
    }
    table->n_rows = n_kept;
}

void entries_sort(struct entries *entries)
{
    for (int i = 0; i < LIST_N_ALGORITHMS; i++) {
        size_t n_digest = list_digest_bytes((enum list_algorithm)i);

        sort_rows(entries->tables[i].rows, entries->tables[i].n_rows, n_digest, 0);
        drop_duplicates(entries, &entries->tables[i], n_digest);
    }
}

const uint8_t *entries_find(const struct entries *entries, enum list_algorithm algorithm,
                            const uint8_t *digest)
{
    const struct entry_rows *table = &entries->tables[algorithm];
    size_t n_digest = list_digest_bytes(algorithm);
    size_t low = 0;
    size_t high = table->n_rows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const uint8_t *row = table->rows + middle * (n_digest + 4);
        int order = memcmp(row, digest, n_digest);

        if (order == 0) {
            return row;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

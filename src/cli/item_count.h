/* How many items there will be, counted a little at a time beside the work itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walk;

struct item_count {
    char *const *paths;
    size_t n_paths;
    bool is_recursive;
    size_t next_path;
    struct walk *walk;
    uint64_t n_items;
    bool is_complete;
};

void item_count_init(struct item_count *count, char *const *paths, size_t n_paths,
                     bool is_recursive);
void item_count_fini(struct item_count *count);

/* Counts up to @n_steps entries more. It is an estimate: files come and go. */
void item_count_step(struct item_count *count, size_t n_steps);

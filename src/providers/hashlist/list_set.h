/* The lists that `definitions` names, together. */
#pragma once

#include "providers/hashlist/list_file.h"

#define LIST_SET_MAX 32u

struct list_set {
    struct list_file lists[LIST_SET_MAX];
    char *paths[LIST_SET_MAX];
    size_t n_lists;
};

#define LIST_SET_INIT                                                                              \
    {                                                                                              \
        .n_lists = 0                                                                               \
    }

/*
 * Opens every list that `paths` names: files, and folders with *.hashlist in them, separated by
 * ':'. All or nothing. Returns 0, or -1 with one line in `ret_error`.
 */
int list_set_open(struct list_set *set, const char *paths, char ret_error[LIST_ERROR_BYTES]);

void list_set_fini(struct list_set *set);

/* Whether any list has digests of this algorithm. */
bool list_set_has(const struct list_set *set, enum list_algorithm algorithm);

/* As list_file_find(), over all lists: deny goes before test, that before allow. */
int list_set_find(const struct list_set *set, enum list_algorithm algorithm, const uint8_t *digest,
                  struct list_hit *ret_hit);

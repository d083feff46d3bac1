/* Everything that a command line names, one item after the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "cli/item.h"

/* What items_next() may answer besides 0 and -ENOMEM. */
enum items_outcome {
    ITEMS_E_END = 1,  /* nothing is left */
    ITEMS_E_WAIT = 2, /* nothing has arrived yet; poll items_fd() */
};

/* Larger content is never held by us; the service's own limit is usually lower. */
#define ITEMS_CONTENT_BYTES_MAX ((uint64_t)256 * 1024 * 1024)

/* Standard input is passed on as it comes when it is longer than this. What is shorter can be asked
 * about again when the service was restarted in between. */
#define ITEMS_STREAM_BYTES ((uint64_t)1024 * 1024)

enum items_split {
    ITEMS_WHOLE = 1, /* each file is one item */
    ITEMS_LINES,     /* each line is */
    ITEMS_ZEROS,     /* what lies between zero bytes is */
};

struct items_options {
    char *const *paths; /* "-": standard input */
    size_t n_paths;
    bool is_recursive;
    enum items_split split;
    void (*on_link)(const char *path, void *userdata); /* symbolic link that was not followed */
    void *userdata;
};

struct items;

MUST_CHECK int items_new(struct items **ret_items, const struct items_options *options);
void items_free(struct items *items);

/* Never blocks for longer than a file system does. What cannot be read comes as an item with a
 * problem. */
MUST_CHECK int items_next(struct items *items, struct item *ret_item);

/* What to poll for reading after ITEMS_E_WAIT. */
int items_fd(const struct items *items);

static inline void items_freep(struct items **items)
{
    items_free(*items);
}

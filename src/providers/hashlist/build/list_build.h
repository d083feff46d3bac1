/* A whole list: from what the user asked for to inputs that are read, sorted and counted. */
#pragma once

#include "providers/hashlist/build/feed.h"

struct list_request {
    const char *path;
    const char *name; /* for entries without one; NULL: after the input */
    enum feed_role role;
    enum feed_format format;
};

struct list_build {
    struct feed_sink sink;
    struct feed *feeds; /* in the order of the requests */
    size_t n_feeds;
    const char *sources[LIST_SOURCES_MAX];
    size_t n_sources;
    const struct feed *failed; /* the input that cannot be used, or NULL */
};

/* Reads everything. 0, or a negative errno: then nothing may be written, and `failed` is why. */
int list_build_read(struct list_build *build, const struct list_request *requests,
                    size_t n_requests);
void list_build_fini(struct list_build *build);

struct list_totals {
    uint64_t n_accepted; /* without warning lists, which are no entries */
    uint64_t n_duplicate;
    uint64_t n_suppressed;
    uint64_t n_refused;
    uint64_t n_ignored;
    uint64_t n_unmarked;
};

void list_build_totals(const struct list_build *build, struct list_totals *ret_totals);

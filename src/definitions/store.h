/* The folder in which one provider's definitions are kept, version by version. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define STORE_NAME_BYTES    64
#define STORE_VERSION_BYTES 64
#define STORE_TEXT_BYTES    2048
#define STORE_KEEP          3

struct store {
    char path[PATH_MAX];
    char name[STORE_NAME_BYTES + 1];
    int folder;   /* PATH */
    int versions; /* PATH/versions */
    int lock;     /* held while this is open for changes */
};

#define STORE_INIT                                                                                 \
    {                                                                                              \
        .folder = -1, .versions = -1, .lock = -1                                                   \
    }

/* Whether it can be a provider's name, and with that a folder's. */
bool store_name_is_good(const char *name);

/*
 * Opens ROOT/NAME. `will_change`: made when it is not there, and locked against other changes.
 * Returns 0; or -errno, and what went wrong was told on standard error.
 */
MUST_CHECK int store_open(struct store *store, const char *root, const char *name,
                          bool will_change);
void store_fini(struct store *store);

/* Which version a link ("current", "previous") names; "" when there is none. */
void store_link_get(const struct store *store, const char *link,
                    char ret_version[STORE_VERSION_BYTES]);

/* Has the link name a version, at once or not at all; "": removes it. Returns 0 or -errno. */
MUST_CHECK int store_link_set(const struct store *store, const char *link, const char *version);

/* A small file; "" when there is none. */
void store_text_get(const struct store *store, const char *file, char ret_text[STORE_TEXT_BYTES]);
MUST_CHECK int store_text_set(const struct store *store, const char *file, const char *text);

/* The value of `key` among lines of "key value"; "" when there is none. */
void store_text_value(const char *text, const char *key, char *ret_value, size_t n_value);

/* Whether the version may find less than the one before; the mark has `text`, NULL removes it. */
bool store_accepted_get(const struct store *store, const char *version);
MUST_CHECK int store_accepted_set(const struct store *store, const char *version, const char *text);

/* Removes a version, and what is beside it. */
void store_version_remove(const struct store *store, const char *version);

/* Removes all but STORE_KEEP versions: those that the links name, then the newest. */
void store_prune(const struct store *store);

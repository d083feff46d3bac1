/* Installed packages: a folder of them, and the configuration beside it. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/cleanup.h"

struct store {
    char config[PATH_MAX];  /* keys.d, revoked, providers.d */
    char folder[PATH_MAX];  /* NAME.pespkg, NAME.pespkg.minisig, NAME.floor */
    char program[PATH_MAX]; /* pes-verify */
};

/* NULL: where they usually are. Returns 0 or -errno. */
MUST_CHECK int store_find(struct store *ret, bool is_user, const char *config, const char *folder);

/* All of these return an exit status and have said what was wrong. */
int store_verify(const struct store *store, const char *package);
int store_install(const struct store *store, const char *package);
int store_remove(const struct store *store, const char *name);
int store_list(const struct store *store, const char *unused);

/* A provider's module out of a signed package. */
#pragma once

#include <stdint.h>

#include "launcher/module.h"
#include "launcher/paths.h"

/* Modules in a package have this suffix in a configuration. */
#define PACKAGE_SUFFIX ".pespkg"

bool package_is_named(const char *module);

struct package_place {
    const struct paths *paths;
    const char *config_folder; /* with keys.d and revoked; NULL: there is none */
    bool is_system;
    uint32_t verify_uid; /* who pes-verify runs as, in a system service */
};

/*
 * Verifies the package at `path` for the provider `name` and copies its module into a sealed memfd
 * that may be executed. Tells the log either way. Returns 0, MODULE_E_REFUSED or
 * MODULE_E_REVOKED with a text, or -errno with one.
 */
MUST_CHECK int package_load(const struct package_place *place, const char *path, const char *name,
                            int *ret_fd, char ret_why[MODULE_WHY_BYTES_MAX]);

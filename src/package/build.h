/* Making packages: for whoever publishes a provider. */
#pragma once

#include <stddef.h>

/* Both return an exit status and have said what was wrong. */
int build_package(const char *manifest, const char *output, char *const *files, size_t n_files);

/* Writes PACKAGE.minisig. */
int build_signature(const char *key, const char *package);

/* Files as sealed memory, so that what was checked is what is used. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "package/manifest.h"

/*
 * Copies a regular file of at most `n_most` bytes into a sealed memfd; the last part of `path` may
 * be no symbolic link. Returns 0 and its size, PACKAGE_E_BAD with a text, or -errno with one.
 */
MUST_CHECK int memory_load(const char *path, const char *what, size_t n_most, int *ret_fd,
                           size_t *ret_n, char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* A sealed memfd with these bytes; or -errno. */
MUST_CHECK int memory_from_bytes(const char *name, const void *bytes, size_t n_bytes, int *ret_fd);

/*
 * Copies a part of one memfd into another one, sealed and executable, while it computes the
 * SHA-256 of what was copied; -EBADMSG when that is not `sha256`.
 */
MUST_CHECK int memory_copy_module(int package, const struct manifest_file *file, int *ret_fd);

/* A provider's module: from a file into memory that nobody can change any more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define MODULE_BYTES_MAX     (256u << 20)
#define MODULE_WHY_BYTES_MAX 256

enum module_outcome {
    MODULE_E_REFUSED = 1, /* the text says why; trying again is of no use */
    MODULE_E_REVOKED = 2, /* the same, and what was started from it before must end */
};

/*
 * Copies the file into a sealed memfd that may be executed. With `is_system` the file and its
 * folder must belong to root and be writable by nobody else. Returns 0, MODULE_E_REFUSED, or
 * -errno (a text is written then, too).
 */
MUST_CHECK int module_load(const char *path, bool is_system, int *ret_fd,
                           char ret_why[MODULE_WHY_BYTES_MAX]);

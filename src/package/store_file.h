/* Whole files: read with a bound, replaced so that nobody ever sees half of one. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* Heap, at least one byte long. -EFBIG above `n_most`. */
MUST_CHECK int store_file_read(const char *path, size_t n_most, uint8_t **ret, size_t *ret_n);

/* Writes beside it, syncs, renames. Returns 0 or -errno. */
MUST_CHECK int store_file_write(const char *path, const void *bytes, size_t n_bytes, mode_t mode);

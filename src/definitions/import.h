/* Takes what was fetched into a store, as a new version. */
#pragma once

#include "base/sha256.h"
#include "definitions/store.h"

#define IMPORT_FILES_MAX 4096
#define IMPORT_BYTES_MAX (UINT64_C(8) << 30)

struct import {
    char version[STORE_VERSION_BYTES];
    char digest[2 * SHA256_DIGEST_BYTES + 1];
    size_t n_files;
    uint64_t n_bytes;
};

/*
 * Copies `source`, a folder or a file, into a new version, flushed. Returns 0; or -errno, with
 * everything removed again and the reason told on standard error.
 */
MUST_CHECK int import_run(struct import *ret, const struct store *store, const char *source);

/* The digest of a version that is there; "" when it cannot be read. */
void import_digest(const struct store *store, const char *version,
                   char ret_digest[2 * SHA256_DIGEST_BYTES + 1]);

/* Whom this machine trusts: a folder of public keys, and a list of what was revoked. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "package/record.h"

struct trust {
    const char *folder; /* with keys.d and revoked in it; NULL: there is none */
    uid_t owner;        /* who may own them beside root */
};

/*
 * Reads every keys.d/NAME.pub into sealed memory for pes-verify. All of it must belong to root (or
 * the owner) and be writable by nobody else. Returns 0, PACKAGE_E_BAD with a text, or -errno with
 * one.
 */
MUST_CHECK int trust_load_keys(const struct trust *trust, int *ret_fd,
                               char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* Whether the file `revoked`, where there is one, names the key or the package: PACKAGE_E_REVOKED
 * with a text if so, PACKAGE_E_BAD if the file has a mistake. */
MUST_CHECK int trust_check_revoked(const struct trust *trust, const struct package_record *record,
                                   char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* The same for the file's text; `path` for messages. */
MUST_CHECK int trust_check_revoked_text(const char *path, char *text,
                                        const struct package_record *record,
                                        char ret_why[PACKAGE_WHY_BYTES_MAX]);

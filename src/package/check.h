/* One package file, from its path to a module that may run. */
#pragma once

#include "package/record.h"
#include "package/rules.h"
#include "package/trust.h"

struct check {
    const char *path;    /* of the package; the signature is beside it, with ".minisig" */
    const char *program; /* pes-verify */
    uint32_t uid;        /* who that runs as; 0: as we do */
    struct trust trust;
    struct rules rules;
};

/*
 * Loads, verifies and judges. Returns 0, the record and the sealed copy of the package;
 * PACKAGE_E_BAD or PACKAGE_E_REVOKED with a text, or -errno with one. The record is written also
 * for a refusal that came after the signature was found good (its state then is PACKAGE_SIGNED).
 */
MUST_CHECK int check_package(const struct check *check, struct package_record *ret,
                             int *ret_package, char ret_why[PACKAGE_WHY_BYTES_MAX]);

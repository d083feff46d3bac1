/* Whether a package that is signed may be used, here and now. */
#pragma once

#include "package/record.h"

struct rules {
    const char *name; /* of the provider that it is to be; NULL: any */
    uint64_t floor;   /* the least serial; 0: none */
    uint64_t today;   /* YYYYMMDD, UTC */
    uint64_t abi;
    uint64_t registry; /* the newest that is known */
};

/* Returns 0, or PACKAGE_E_BAD with a text. */
MUST_CHECK int rules_check(const struct rules *rules, const struct manifest *manifest,
                           char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* Today, YYYYMMDD in UTC; 0 when the clock cannot tell. */
uint64_t rules_today(void);

/*
 * The floor that stands in a file: what was installed once is never followed by something older.
 * A missing file is floor 0. Returns 0, PACKAGE_E_BAD with a text for a file with anything but a
 * number in it, or -errno with one.
 */
MUST_CHECK int rules_read_floor(const char *path, uint64_t *ret,
                                char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* The floor's file of PACKAGE.pespkg, beside it. -ENAMETOOLONG. */
MUST_CHECK int rules_floor_path(const char *package, char ret[4096]);

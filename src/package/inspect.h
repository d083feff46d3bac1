/* Having pes-verify look at a package. */
#pragma once

#include "package/record.h"

struct inspect {
    const char *program; /* pes-verify */
    int package;         /* sealed memory, as the other two */
    int signature;
    int keys;
    size_t n_package; /* its size */
    uint32_t uid;     /* who it runs as; 0: as we do */
};

/*
 * Waits for the answer, at most INSPECT_TIMEOUT_MS. Returns 0 and a sane record, whose state may be
 * a refusal; or -errno with a text.
 */
#define INSPECT_TIMEOUT_MS 10000
MUST_CHECK int inspect_run(const struct inspect *inspect, struct package_record *ret,
                           char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* Whether anything that a provider is started from has changed. */
#pragma once

#include <stdbool.h>

#include "base/sha256.h"
#include "launcher/config.h"

struct fingerprint {
    bool is_known; /* false: never equal to any */
    uint8_t digest[SHA256_DIGEST_BYTES];
};

/* Of the configuration, the module and all definitions, as they are now; for a package also of who
 * is trusted (`config_folder`, or NULL). */
struct fingerprint fingerprint_take(const struct config_provider *config,
                                    const char *config_folder);

bool fingerprint_is_equal(const struct fingerprint *a, const struct fingerprint *b);

/* Files over HTTPS. */
#pragma once

#include "definitions/update_config.h"
#include "updates/staging.h"

/*
 * Fetches `url` under a name unless the server says that it has not changed, within `timeout_ms`.
 * Returns 0; or -errno, and why was told.
 */
MUST_CHECK int download_file(struct staging *staging, const struct update_config *config,
                             const char *url, const char *name, uint64_t timeout_ms);

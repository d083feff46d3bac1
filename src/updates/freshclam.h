/* ClamAV's own databases. */
#pragma once

#include "definitions/update_config.h"
#include "updates/staging.h"

/* Has freshclam bring its databases up to date, and takes them. Returns 0; or -errno, and why was
 * told. */
MUST_CHECK int freshclam_run(struct staging *staging, const struct update_config *config);

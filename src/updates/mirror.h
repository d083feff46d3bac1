/* Files of this machine: a mirror that is mounted, or carried in. */
#pragma once

#include "definitions/update_config.h"
#include "updates/staging.h"

/* Takes a file that is at an absolute path, under a name. Returns 0; or -errno, and why was
 * told. */
MUST_CHECK int mirror_file(struct staging *staging, const struct update_config *config,
                           const char *path, const char *name);

/* Takes every file of a folder, except those whose names begin with a dot, and freshclam.dat. */
MUST_CHECK int mirror_folder(struct staging *staging, const struct update_config *config,
                             const char *path);

/* Switched off for a while (`pes off`): the broker observes until then. */
#pragma once

#include "launcher/launcher.h"

/* Looks now, and whenever something changes in the runtime folder. Returns 0, or -errno when that
 * failed and was logged. */
MUST_CHECK int off_watch(struct launcher *launcher);

void off_fini(struct launcher *launcher);

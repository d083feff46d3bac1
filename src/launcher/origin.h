/* What one generation was started from, kept for as long as it may have to be started again. */
#pragma once

#include "launcher/config.h"

/*
 * Copies what a start needs, with the links in the paths of definitions followed: a link that later
 * leads elsewhere does not change it. Returns 0 or -ENOMEM. Free it with config_provider_fini().
 */
MUST_CHECK int origin_take(struct config_provider *ret, const struct config_provider *config);

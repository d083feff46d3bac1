/* Whether an administrator said of definitions that they may find less than the ones before. */
#pragma once

#include <stdbool.h>

/*
 * `paths` is what is to be loaded, `before` what serves (or NULL), links followed, ':' between
 * them. True when something in `paths` is new, and all that is new was accepted.
 */
bool acceptance_covers(const char *paths, const char *before);

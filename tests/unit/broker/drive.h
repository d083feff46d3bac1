/* Drives a world by bytes: whatever they are, something plausible or hostile happens. For
 * simulation and fuzzing. */
#pragma once

#include "world.h"

/* Two bytes make one happening. */
void drive(struct world *world, const uint8_t *choices, size_t n_choices);

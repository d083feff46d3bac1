/* How bad a verdict is. */
#pragma once

#include <stdint.h>

/* For ordering only; an unknown verdict ranks as suspicious. */
unsigned verdict_rank(uint32_t verdict);

/* What to do next, in words. */
#pragma once

#include <stdint.h>

/* The sentence for an enum pes_advice, with its full stop; "" for none. Static. */
const char *advice_text(uint32_t advice);

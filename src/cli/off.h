/* Whether pes is switched off for a while, in words. */
#pragma once

#include "base/off_state.h"

#define OFF_TEXT_BYTES 128

/* As off_state_load(), for the service that would be asked. */
MUST_CHECK int off_find(struct off_state *ret);

/* "until 17:05, for 58 min 10 s more, by uid 0" */
const char *off_text(char ret_text[static OFF_TEXT_BYTES], const struct off_state *state);

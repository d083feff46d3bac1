/* Characters that are written as numbers: \x41, \101, \u0041, %41, &#65;. */
#pragma once

#include "providers/command/text.h"

/* Copies `text` with such characters written out. Returns how many there were. */
size_t escapes_decode(const struct text *text, struct text *ret_text);

/* Parts of words by which programs fetch, decode and run. */
#pragma once

#include "providers/command/commands.h"

enum method {
    METHOD_NONE = 0,
    METHOD_FETCH = 1u << 0,
    METHOD_DECODE = 1u << 1,
    METHOD_RUN = 1u << 2,
    METHOD_ADDRESS = 1u << 3, /* has an address in it */
    METHOD_SAVE = 1u << 4,    /* METHOD_FETCH that writes a file */
};

/* What the word does: flags of enum method. */
uint8_t method_of(const struct commands *commands, const struct word_at *word);

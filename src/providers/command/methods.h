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

/* Notes in each word what it does: flags of enum method. */
void methods_note(struct commands *commands);

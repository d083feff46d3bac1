/* What is fetched or decoded, and what then runs it. */
#pragma once

#include "providers/command/addresses.h"
#include "providers/command/commands.h"
#include "providers/command/signals.h"

/* Room to work in; large, so not on the stack. */
struct flows {
    struct commands commands;
    uint8_t own[COMMANDS_MAX];     /* what the words of each command do */
    uint8_t gives[COMMANDS_MAX];   /* what comes out of it */
    uint32_t source[COMMANDS_MAX]; /* the word that it comes from */
};

/* Notes what flows where in a plain text. */
void flows_note(struct flows *flows, const struct text *plain, unsigned view,
                const struct known_addresses *known, struct signals *signals);

/* Signs that somebody hides what a command does. */
#pragma once

#include "providers/command/signals.h"
#include "providers/command/views.h"

void hiding_note(const struct views *views, struct signals *signals);

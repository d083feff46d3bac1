/* How far a long scan is, on a terminal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/outcome.h"

struct progress {
    bool is_on;       /* stderr is a terminal that can go back to the start of a line */
    bool is_shown;    /* the cursor stands in our line */
    uint64_t n_total; /* 0: not known */
    int64_t start_ms;
    int64_t shown_ms;
};

void progress_init(struct progress *progress);

/* Whether there is somebody to show it to, and reason to. */
bool progress_is_due(const struct progress *progress);

/* Shows it when it is time to. Return: milliseconds until the next time, or -1: never. */
int progress_tick(struct progress *progress, const struct tally *tally);

/* Takes it off the screen, before anything else is written. */
void progress_hide(struct progress *progress);

/* Milliseconds since the start. */
int64_t progress_elapsed_ms(const struct progress *progress);

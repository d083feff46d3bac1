/* Whether pes is switched off for a while: what `pes off` leaves in the runtime folder. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define OFF_STATE_NAME        "off"
#define OFF_STATE_SECONDS_MAX ((uint64_t)24 * 3600)

struct off_state {
    uint64_t until_s; /* CLOCK_BOOTTIME, which nobody can set */
    uint32_t by_uid;  /* who did it, to be shown */
};

enum off_state_outcome {
    OFF_STATE_E_NONE = 1,    /* there is none that is in force */
    OFF_STATE_E_REFUSED = 2, /* there is one that is not to be believed */
};

/* The time that `until_s` is measured in. */
uint64_t off_state_now_s(void);

/*
 * What is in force in a runtime folder. Folder and file must belong to root or to the process's own
 * user, and nobody else may be able to write them. Returns 0, OFF_STATE_E_*, or -errno.
 */
MUST_CHECK int off_state_load(struct off_state *ret, const char *folder);

/* Writes it, in one step. Returns 0, OFF_STATE_E_REFUSED when the folder is not to be believed, or
 * -errno. */
MUST_CHECK int off_state_store(const char *folder, const struct off_state *state);

/* Ends it. Returns 0, OFF_STATE_E_NONE or -errno. */
MUST_CHECK int off_state_remove(const char *folder);

/* What the file says, at `now_s`. Returns 0, OFF_STATE_E_NONE when it is over, or
 * OFF_STATE_E_REFUSED. */
MUST_CHECK int off_state_parse(struct off_state *ret, const char *text, size_t n_text,
                               uint64_t now_s);

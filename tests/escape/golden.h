/* The reviewed list of allowed system calls (tests/unit/sandbox/allowed_calls.*), as sets. */
#pragma once

#include <stdbool.h>

#include "kit.h"

enum golden_rule {
    GOLDEN_FORBIDDEN = 0,
    GOLDEN_CONDITIONAL = 1, /* the arguments decide */
    GOLDEN_ALLOWED = 2,
};

struct golden {
    enum golden_rule rules[KIT_CALLS_MAX + 1];
    size_t n; /* of calls that are not forbidden */
};

/* Reads the list of one profile from the file that PES_ALLOWED_CALLS names; adds what this build's
 * sanitizer needs. Returns false when there is no list for this processor. */
bool golden_read(struct golden *ret_golden, const char *profile);

/*
 * Whether this is how a call ends that the list forbids: some are refused by an errno, so that a
 * library goes on without them. `result` is from kit_run(), or "SIGSYS", "SIGILL".
 *
 * uretprobe (335, since 6.11) and uprobe (336, since 6.18) of x86-64 are let pass by the kernel
 * before any filter; whoever makes them outside of the kernel's own code gets SIGILL or ENXIO.
 */
bool golden_is_refusal(int number, const char *result);

/* Leaves what both allow. */
void golden_intersect(struct golden *golden, const struct golden *other);

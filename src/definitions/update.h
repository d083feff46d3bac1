/* Changing which version a provider reads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum exit_status {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1, /* tried, and what was before is in place again */
    EXIT_FAILED = 2,  /* not tried at all */
    EXIT_USAGE = 64,
};

struct update_options {
    const char *root;
    const char *name;
    const char *from;  /* NULL: the staging folder */
    bool is_forced;    /* even what was rolled back */
    bool accepts_less; /* what is found no more was given up on purpose */
    uint64_t timeout_s;
};

int update_run(const struct update_options *options);
int rollback_run(const struct update_options *options);

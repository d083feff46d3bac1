/* What each store holds, and what the service makes of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct status_options {
    const char *root;
    const char *name; /* NULL: all */
    bool is_json;
    bool is_brief;          /* only what needs attention, a line each */
    const char *config;     /* the folder with updates.d; "": none is known */
    uint64_t stale_after_s; /* 0: as configured */
};

/* Returns the exit status: 0; 1 when something is stale or was refused; 2 when nothing can be
 * read. */
int status_run(const struct status_options *options);

/* What `pes scan` was told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/items.h"

#define SCAN_JOBS_DEFAULT 16
#define SCAN_JOBS_MAX     256
/* Files may be large and many wait behind each other, so longer than a single question gets. */
#define SCAN_TIMEOUT_MS_DEFAULT 30000

struct scan_options {
    uint32_t kind; /* PES_KIND_NONE: guess */
    bool is_json;
    bool is_verbose;
    bool is_private;
    bool is_uncached;
    bool is_recursive;
    enum items_split split;
    const char *origin_url;
    const char *referrer;
    const char *app;
    const char *session;
    uint32_t reason;
    uint32_t timeout_ms;
    uint32_t n_jobs;
    char *const *paths;
    size_t n_paths;
};

enum scan_options_outcome {
    SCAN_OPTIONS_E_USAGE = 1, /* told on stderr already */
    SCAN_OPTIONS_E_HELP = 2,  /* asked for help */
};

/* Fills @ret_options with pointers into @argv. */
int scan_options_parse(struct scan_options *ret_options, int argc, char **argv);

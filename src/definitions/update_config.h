/* What updates.d/NAME.conf says: where a provider's definitions come from, and how old they may
 * be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "launcher/config_parse.h"

struct update_config {
    struct config_list files; /* "NAME=SOURCE": a path or URL, and its name in staging */
    char *folder;             /* a mirror that is mounted here */
    char *freshclam; /* the mirror that freshclam asks: a host, or the URL of a private one */
    char *proxy;
    uint64_t allows_http;
    uint64_t file_bytes_max;
    uint64_t timeout_ms; /* for everything */
    uint64_t stale_after_days;
    uint32_t files_line;
    uint32_t freshclam_line;
};

#define UPDATE_STALE_DAYS 7

enum update_config_outcome {
    UPDATE_CONFIG_E_BAD = 1,  /* told on standard error, line by line */
    UPDATE_CONFIG_E_NONE = 2, /* there is no such file */
};

void update_config_fini(struct update_config *config);

/*
 * Reads FOLDER/updates.d/NAME.conf. `ret` has the defaults unless 0 is returned; free it in any
 * case. Returns 0, an outcome, or -ENOMEM.
 */
MUST_CHECK int update_config_load(struct update_config *ret, const char *folder, const char *name);

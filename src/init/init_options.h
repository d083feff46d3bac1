/* Command line of pes-init; written by pesd, never by a person. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define INIT_SETTINGS_MAX 64

struct init_options {
    const char *name;
    const char *host_path;
    int host_fd;             /* the program, opened while we still could; -1 until then */
    const char *definitions; /* or NULL */
    const char *settings[INIT_SETTINGS_MAX];
    size_t n_settings;
    int launcher_fd;
    int broker_fd;
    int module_fd;
    uint32_t n_slots;
    uint32_t memory_mib;
    uint32_t scratch_mib; /* of each slot; 0: none */
    uint32_t min_tier;    /* less than this is a failed start */
    bool is_on_trial;     /* the provider proves itself on contents of ours, too */
    bool has_uid;
    uint32_t uid;
    uint32_t gid;
};

/* Returns 0, or -EINVAL and in `ret_fault` the option that is wrong (static or in `argv`). Texts
 * point into `argv`. */
MUST_CHECK int init_options_parse(struct init_options *ret_options, int argc, char **argv,
                                  const char **ret_fault);

/* Command line of pes-host; written by pes-init, never by a person. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define HOST_SETTINGS_MAX 64

struct host_options {
    const char *name;
    const char *definitions; /* or NULL */
    const char *settings[HOST_SETTINGS_MAX];
    size_t n_settings;
    int module_fd;
    int init_fd;
    uint32_t memory_mib;
    uint32_t n_processes;
    int scratch_fd; /* first of `n_scratch` folders, one per slot and the last for the self-test */
    uint32_t n_scratch;
    uint32_t scratch_mib;
    bool is_signals_open; /* no pid namespace keeps signals inside */
    bool is_on_trial;     /* proves itself on contents of ours, too */
};

/* Returns 0 or -EINVAL; everything points into `argv`. */
MUST_CHECK int host_options_parse(struct host_options *ret_options, int argc, char **argv);

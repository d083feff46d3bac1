/* What a provider process gives up: before the module is loaded, and before content is looked at.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "host/host_options.h"

/* What phase 1 leaves open for later. */
struct confine {
    int statm_fd; /* /proc/self/statm, opened before files are closed off */
    int maps_fd;  /* /proc/self/maps, likewise */
};

#define CONFINE_INIT                                                                               \
    {                                                                                              \
        .statm_fd = -1, .maps_fd = -1                                                              \
    }

/*
 * Phase 1, the boundary against a hostile module. Returns 0, or a negative errno and in `ret_step`
 * what failed (static): then nothing foreign may be loaded.
 */
MUST_CHECK int confine_before_module(struct confine *confine, const struct host_options *options,
                                     const char **ret_step);

/* After loading: from here on only `memory_mib` more. Returns 0 or -errno. */
MUST_CHECK int confine_memory_to_loaded(struct confine *confine, uint32_t memory_mib);

/* Phase 2, in a worker; `init` is its parent. As confine_before_module(). Of its descriptors only
 * `channel` stays, standard error, and with scratch folders the one of this number, which becomes
 * the current folder, the only place where files are, and is `ret_scratch_fd`; else -1. */
MUST_CHECK int confine_before_content(pid_t init, const struct host_options *options,
                                      uint32_t scratch, int channel, int *ret_scratch_fd,
                                      const char **ret_step);

/* Ends the process by SIGXCPU when it takes that much more processor time than it has used. */
void confine_processor_time(uint64_t used_us, uint64_t time_us);

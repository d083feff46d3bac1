/* The scratch folders of one provider: one for each slot, one for the self-test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "init/init_options.h"

/* Descriptors are these and the following ones, so that pes-host needs to be told only the
 * first. */
#define SCRATCH_FD_FIRST 100

struct scratch {
    size_t n_folders; /* 0: none */
};

/*
 * Makes them, empty, while the right to mount is still there. Whoever asked for some and gets none
 * is told so in the log; that is no error here, the module will say what it comes to.
 */
void scratch_make(struct scratch *ret_scratch, const struct init_options *options,
                  uint32_t namespaces);

/* From here on this process reaches these folders and no other file. Returns 0 or -errno. */
MUST_CHECK int scratch_confine(const struct scratch *scratch);

/* Empties the folder of a slot whose process is gone. Returns 0 or -errno. */
MUST_CHECK int scratch_wipe(const struct scratch *scratch, size_t slot);

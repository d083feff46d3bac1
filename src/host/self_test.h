/* Lets a provider prove itself on its own samples, in a real worker. */
#pragma once

#include "host/host_options.h"
#include "host/module.h"

struct self_test_report {
    uint32_t n_samples;       /* of the provider's own, all found */
    uint32_t test_strings;    /* bit i: base/test_strings.h's number i is objected to */
    uint32_t n_clean_flagged; /* harmless contents that are objected to */
};

/*
 * Runs every sample and, on trial, what pes has of its own. `channel` is the pair whose ends become
 * the worker's and ours; both are closed. Returns 0, or -1 and in `ret_text` which content, what
 * was expected and what came.
 */
MUST_CHECK int self_test_run(const struct module *module, const struct host_options *options,
                             int channel[2], struct self_test_report *ret_report,
                             char ret_text[MODULE_TEXT_BYTES]);

/* Lets a provider prove itself on its own samples, in a real worker. */
#pragma once

#include "host/module.h"

/*
 * Runs every sample. `channel` is the pair whose ends become the worker's and ours; both are
 * closed. Returns 0 and how many there were, none being possible, or -1 and in `ret_text` which
 * sample, what was expected and what came.
 */
MUST_CHECK int self_test_run(const struct module *module, int init_fd, int channel[2],
                             size_t *ret_n_samples, char ret_text[MODULE_TEXT_BYTES]);

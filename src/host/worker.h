/* A worker: answers one question at a time on its one channel. */
#pragma once

#include <sys/types.h>

#include "host/module.h"

/* Confines itself further and answers until the channel closes or `init`, its parent, ends. Never
 * returns. `scratch` is the number of its scratch folder, if there are any. */
_Noreturn void worker_run(const struct module *module, const struct host_options *options,
                          uint32_t scratch, int channel, pid_t init);

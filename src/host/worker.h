/* A worker: answers one question at a time on its one channel. */
#pragma once

#include <sys/types.h>

#include "host/module.h"

/* Confines itself further and answers until the channel closes or `init`, its parent, ends. Never
 * returns. */
_Noreturn void worker_run(const struct module *module, int channel, pid_t init);

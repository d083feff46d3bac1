/* A worker: answers one question at a time on its one channel. */
#pragma once

#include "host/module.h"

/* Confines itself further and answers until the channel closes. Never returns. */
_Noreturn void worker_run(const struct module *module, int channel);

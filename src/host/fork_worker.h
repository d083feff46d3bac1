/* Forks the zygote into a worker that is init's child. */
#pragma once

#include <sys/types.h>

/* Must be called once before fork_worker(), before the sandbox closes. */
void fork_worker_prepare(void);

/* Returns 0 in the worker, its pid in the zygote, or -errno. `ret_init` is the worker's parent,
 * which only the zygote can be sure of: it is killed when init ends. */
pid_t fork_worker(pid_t *ret_init);

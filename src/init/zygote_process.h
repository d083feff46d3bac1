/* Starts pes-host, the zygote. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "init/init_options.h"
#include "init/scratch.h"

struct zygote_process {
    pid_t pid;
    int channel; /* ours */
    int log_fd;  /* reading end of its stderr, non-blocking */
};

#define ZYGOTE_PROCESS_INIT                                                                        \
    {                                                                                              \
        .pid = -1, .channel = -1, .log_fd = -1                                                     \
    }

/* `has_pid_namespace`: signals cannot leave it. `scratch`: its folders, which it inherits. Returns
 * 0 or -errno; that the program cannot be executed shows as exit status 127. */
MUST_CHECK int zygote_process_start(struct zygote_process *ret_zygote,
                                    const struct init_options *options, uint32_t n_processes,
                                    bool has_pid_namespace, const struct scratch *scratch);

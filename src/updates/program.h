/* A program of this machine that is run for us. */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"

#define PROGRAM_TEXT_BYTES 1024

struct program_result {
    int status;                       /* exit status; 128 + signal; 127: cannot be run */
    char output[PROGRAM_TEXT_BYTES];  /* how its standard output begins */
    char message[PROGRAM_TEXT_BYTES]; /* how its standard error begins */
};

/*
 * Runs argv[0], found by PATH, in a group of its own, and waits. Each file that it writes may have
 * `file_bytes_max`; in `timeout_ms` it and all of its group are ended. Returns 0, -ETIME or -errno.
 */
MUST_CHECK int program_run(struct program_result *ret, char *const argv[], uint64_t file_bytes_max,
                           uint64_t timeout_ms);

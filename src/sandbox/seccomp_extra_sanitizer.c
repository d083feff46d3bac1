/*
 * What the runtime of a sanitizer does on top, in builds for tests only: looking whether memory is
 * readable through a pipe, and finding its own program when it writes a report.
 */
#include "sandbox/seccomp_extra.h"
#include "sandbox/seccomp_numbers.h"

const struct seccomp_rule seccomp_extra_rules[SECCOMP_N_EXTRA_RULES] = {
    {.number = __NR_pipe},       {.number = __NR_pipe2},
    {.number = __NR_mincore},    {.number = __NR_set_tid_address},
    {.number = __NR_readlink},   {.number = __NR_readlinkat},
    {.number = __NR_membarrier}, {.number = SECCOMP_NO_CALL},
};

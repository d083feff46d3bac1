/* Allow-lists of system calls as tables, and the BPF program made of them. Links libc alone. */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Number of a call that this architecture does not have: its rows are skipped. */
#define SECCOMP_NO_CALL (-1)

#define SECCOMP_ARGS_MAX 3

enum seccomp_compare {
    SECCOMP_ANY = 0,
    SECCOMP_MASKED_EQUAL = 1, /* (argument & mask) == value */
    SECCOMP_EQUAL = 2,        /* all 64 bits; `mask` is not looked at */
    SECCOMP_EQUAL_LOW = 3,    /* the low 32 bits, for what the kernel takes as an int */
    SECCOMP_EQUAL_SELF = 4,   /* the own pid, as it is when the program is built */
};

struct seccomp_arg {
    enum seccomp_compare compare;
    uint32_t index; /* 0 to 5 */
    uint64_t mask;
    uint64_t value;
};

/* What a matching call gets: 0 allows it, otherwise it fails with this errno. */
struct seccomp_rule {
    int number; /* of the call, or SECCOMP_NO_CALL */
    int error;
    struct seccomp_arg args[SECCOMP_ARGS_MAX]; /* all must hold */
};

struct seccomp_table {
    const struct seccomp_rule *rules;
    size_t n_rules;
};

#define SECCOMP_TABLES_MAX 5

/* The first rule that matches decides; a call without one ends the process with SIGSYS. */
struct seccomp_profile {
    const char *name;
    struct seccomp_table tables[SECCOMP_TABLES_MAX];
};

#define SECCOMP_PROGRAM_MAX 1024

/* Makes the program. Returns 0, or -E2BIG when the tables need more than `n_max` instructions. */
MUST_CHECK int seccomp_filter_build(const struct seccomp_profile *profile,
                                    struct sock_filter *program, size_t n_max, size_t *ret_n);

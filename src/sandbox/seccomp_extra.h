/* Rows that a build needs for itself in every profile: none, or those of a sanitizer's runtime. One
 * of seccomp_extra_*.c is built. */
#pragma once

#include "sandbox/seccomp_filter.h"

#define SECCOMP_N_EXTRA_RULES 8

extern const struct seccomp_rule seccomp_extra_rules[SECCOMP_N_EXTRA_RULES];

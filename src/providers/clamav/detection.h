/* What the name of a signature comes to. docs/providers/clamav.md has the table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct detection {
    uint32_t verdict;  /* enum pes_verdict */
    uint32_t severity; /* enum pes_severity */
    uint32_t advice;   /* enum pes_advice */
    uint32_t gap;      /* enum gap: libclamav says by an alert that it left something out; else 0 */
    char family[65];   /* "" when the name tells none */
};

void detection_read(struct detection *ret_detection, const char *name);

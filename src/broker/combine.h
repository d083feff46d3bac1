/* Many parts, one verdict and one coverage. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>

/* What combining needs to know of one provider's part. */
struct combine_part {
    uint32_t status;   /* enum pes_status */
    uint32_t verdict;  /* enum pes_verdict */
    uint32_t coverage; /* enum pes_coverage */
    bool is_advisory;  /* may warn, but nothing depends on it */
};

struct combine_result {
    uint32_t verdict;
    uint32_t coverage;
    size_t deciding; /* 1 + index of the part that the verdict comes from, 0: none */
};

void combine_parts(const struct combine_part *parts, size_t n_parts,
                   struct combine_result *ret_result);

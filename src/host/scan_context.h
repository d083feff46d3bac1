/* One question, as the module sees it (struct pes_scan). */
#pragma once

#include <pes/provider.h>

#include "host/answer.h"
#include "wire/codec.h"

struct pes_scan {
    const struct wire_scan *question;
    const uint8_t *bytes; /* never NULL */
    size_t n_bytes;
    uint64_t deadline_us; /* on clock_now_us() */
    struct answer answer;
};

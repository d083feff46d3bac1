/* What holds when the broker gave no answer: the client policy's word. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/client_policy.h"
#include "client/place.h"

struct fallback {
    uint32_t disposition; /* enum pes_disposition */
    uint32_t message_id;  /* enum pes_message_id */
    uint32_t advice;      /* enum pes_advice */
};

/*
 * `error` is the enum pes_error that stands in for the answer. `absence`: what there is of a
 * service; one that there was a connection to is there.
 */
struct fallback fallback_decide(const struct client_policy *policy, uint32_t kind, uint32_t wish,
                                uint32_t error, enum place_absence absence);

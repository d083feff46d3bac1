/* A worker's answer: checked, and kept until the question is answered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct core;
struct part;
struct wire_part;

#define WORKER_RESULT_E_INVALID 1

/* Takes the answer of a worker to its part. Returns 0, WORKER_RESULT_E_INVALID, or -ENOMEM. */
MUST_CHECK int worker_result_take(struct core *core, struct part *part, const uint8_t *bytes,
                                  size_t n_bytes);

/*
 * Writes a part as it is told to the client. With `with_details` all findings, evidence and the
 * decoded view, else only the worst finding. Byte strings point into `part`.
 */
void worker_result_tell(struct core *core, const struct part *part, bool with_details,
                        struct wire_part *ret_part);

/* From an item to a request that can be started. */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "cli/item.h"
#include "cli/scan_options.h"

struct pes_ctx;
struct pes_request;

/* What question_new() may answer besides 0 and -ENOMEM. */
enum question_outcome {
    QUESTION_E_UNREADABLE = 1, /* the item now has a problem */
    QUESTION_E_BUSY = 2,       /* too much is under way; ask again after an answer */
    QUESTION_E_NO_ROOM = 3,    /* the service, or this process, is out of memory; ask again later */
};

/* The kind that an item is asked under when nobody says. */
uint32_t question_kind(const struct item *item);

MUST_CHECK int question_new(struct pes_request **ret_request, struct pes_ctx *ctx,
                            struct item *item, uint32_t kind, uint64_t sequence,
                            const struct scan_options *options);

/*
 * Eleven dispositions folded into three actions, of which the application declared what it can do.
 *
 * The table of SPEC 6. The broker folds its own answers by the same table; this is for answers
 * that come from the client policy and for a broker whose action the application cannot do. Going
 * ahead is always possible, so it comes last wherever the disposition is not in favour.
 */
#include "client/fold.h"

#include <stddef.h>

#include <pes/enums.h>

enum fold_row {
    FOLD_GO,
    FOLD_WARN,  /* ask, else go */
    FOLD_ASK,   /* ask, else stop, else go */
    FOLD_BLOCK, /* stop, else ask, else go */
};

static enum fold_row fold_row(uint32_t disposition)
{
    switch ((enum pes_disposition)disposition) {
    case PES_DISPOSITION_ALLOW:
    case PES_DISPOSITION_ALLOW_AND_REPORT:
        return FOLD_GO;
    case PES_DISPOSITION_WARN:
        return FOLD_WARN;
    case PES_DISPOSITION_WARN_WITH_REASON:
    case PES_DISPOSITION_ASK_USER:
        return FOLD_ASK;
    case PES_DISPOSITION_NONE:
    case PES_DISPOSITION_BLOCK:
    case PES_DISPOSITION_BLOCK_AND_QUARANTINE:
    case PES_DISPOSITION_REPLACE_WITH_CLEANED:
    case PES_DISPOSITION_RESTRICT:
    case PES_DISPOSITION_PENDING:
    case PES_DISPOSITION_TERMINATE_SESSION:
        return FOLD_BLOCK;
    }
    return FOLD_BLOCK; /* from the future: not in favour, as far as we know */
}

uint32_t fold(uint32_t disposition, uint32_t can)
{
    static const uint32_t first[] = {0, PES_CAN_ASK, PES_CAN_ASK, PES_CAN_STOP};
    static const uint32_t second[] = {0, 0, PES_CAN_STOP, PES_CAN_ASK};
    enum fold_row row = fold_row(disposition);
    uint32_t chosen = can & first[row];

    if (!chosen) {
        chosen = can & second[row];
    }
    if (chosen == PES_CAN_ASK) {
        return PES_ASK;
    }
    return chosen == PES_CAN_STOP ? PES_STOP : PES_GO;
}

/*
 * How bad a verdict is.
 *
 * There is one order, for the host that sorts the findings of a module as for the broker that
 * checks that they are sorted and combines many parts: were there two, an honest provider could be
 * taken for one that breaks the protocol.
 */
#include "wire/verdict_rank.h"

#include <stddef.h>

#include <pes/enums.h>

static const struct {
    uint32_t verdict;
    unsigned rank;
} ranks[] = {
    {PES_VERDICT_NONE, 0},
    {PES_VERDICT_NO_OPINION, 1},
    {PES_VERDICT_KNOWN_GOOD, 2},
    {PES_VERDICT_NOT_DETECTED, 3},
    {PES_VERDICT_UNCOMMON, 4},
    {PES_VERDICT_POTENTIALLY_UNWANTED, 10},
    {PES_VERDICT_SENSITIVE_DATA, 11},
    {PES_VERDICT_SUSPICIOUS, 12},
    {PES_VERDICT_TEST_SAMPLE, 20},
    {PES_VERDICT_POLICY_FORBIDDEN, 21},
    {PES_VERDICT_MALICIOUS_SOURCE, 22},
    {PES_VERDICT_CREDENTIAL_THEFT, 23},
    {PES_VERDICT_DECEPTIVE_INSTRUCTION, 24},
    {PES_VERDICT_EXPLOIT_ATTEMPT, 25},
    {PES_VERDICT_MALICIOUS, 30},
};

#define RANK_UNKNOWN 12u

unsigned verdict_rank(uint32_t verdict)
{
    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
        if (ranks[i].verdict == verdict) {
            return ranks[i].rank;
        }
    }
    return RANK_UNKNOWN;
}

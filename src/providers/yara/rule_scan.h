/* Scanning one content with a rule set. */
#pragma once

#include <pes/provider.h>

#include "providers/yara/rule_meta.h"
#include "providers/yara/rule_set.h"

struct rule_scanner {
    const struct rule_set *set;
    YR_SCANNER **scanners; /* one for each part of the set */
    size_t n_scanners;
};

#define RULE_SCANNER_INIT                                                                          \
    {                                                                                              \
        .set = NULL, .scanners = NULL, .n_scanners = 0                                             \
    }

/* Makes a scanner for each part. The set must outlive it. Returns 0, or -1 with `error` filled in.
 */
int rule_scanner_init(struct rule_scanner *scanner, const struct rule_set *set,
                      struct rule_error *error);
void rule_scanner_fini(struct rule_scanner *scanner);

/* Scans the content of `scan` and reports into it. Never fails: coverage says what was left out. */
void rule_scanner_run(struct rule_scanner *scanner, struct pes_scan *scan);

/* What became of a rule's own sample. */
enum rule_trial {
    RULE_TRIAL_MISSED = 0,
    RULE_TRIAL_FOUND = 1,
    RULE_TRIAL_CONTESTED = 2, /* a rule with another verdict has something to say about it too */
};

/* Scans the sample of the rule `owner`, which must have one. */
enum rule_trial rule_scanner_try(struct rule_scanner *scanner, const YR_RULE *owner,
                                 const struct rule_meta *meta);

/* Reads the metadata of a rule. */
void rule_meta_read(struct rule_meta *meta, const YR_RULE *rule);

/* What a rule's metadata says about a match. docs/providers/yara.md has the table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "providers/yara/decode.h"

struct rule_meta {
    uint32_t verdict;  /* enum pes_verdict */
    uint32_t severity; /* enum pes_severity */
    uint32_t confidence;
    uint32_t advice; /* enum pes_advice */
    enum decode_form decode;
    char family[64];
    char technique[16];
    const char *sample;      /* borrowed from the rule, or NULL */
    uint32_t verdict_weight; /* how binding what set the verdict was; 0: the default */
    uint32_t severity_weight;
    size_t n_unknown; /* values of our own keys that mean nothing */
};

void rule_meta_init(struct rule_meta *meta);

/* Takes in one entry, in any order; keys that mean nothing to us are passed over. */
void rule_meta_text(struct rule_meta *meta, const char *key, const char *value);
void rule_meta_number(struct rule_meta *meta, const char *key, int64_t value);

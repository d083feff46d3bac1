/* Everything together: from the bytes of a content to the rules that hold. */
#pragma once

#include "providers/command/flows.h"
#include "providers/command/rule_set.h"
#include "providers/command/signals.h"
#include "providers/command/views.h"

#define JUDGED_MAX        32
#define JUDGED_RANGES_MAX 4
#define CONTENT_BYTES_MAX (1u << 20)

struct judged_range {
    struct span span;
    const char *what; /* name of the signal */
};

struct judged {
    const struct rule *rule;
    struct judged_range ranges[JUDGED_RANGES_MAX];
    size_t n_ranges;
    unsigned view; /* the deepest that it rests on */
};

/* Room and result of one judgement; large: make it once. */
struct judge {
    const struct rule_set *set;
    struct flows flows;
    struct signals signals;
    struct views views;
    struct judged judged[JUDGED_MAX];
    size_t n_judged;
    size_t n_examined;
    bool is_cut;        /* larger than CONTENT_BYTES_MAX */
    bool is_incomplete; /* a limit was hit */
    bool is_late;
    bool is_binary; /* not text: nothing was looked at */
};

/* Judges. The views stay until judge_clear(). `out_of_time` may be NULL. */
void judge_run(struct judge *judge, const uint8_t *bytes, size_t n, bool (*out_of_time)(void *data),
               void *data);
void judge_clear(struct judge *judge);

/* Whether `rule` is among the rules that held. */
bool judge_has(const struct judge *judge, const struct rule *rule);

/* From a verdict to what to do: the only place where the one becomes the other. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/combine.h"
#include "wire/messages.h"

#define POLICY_RULES_MAX 64
#define POLICY_NAME_MAX  64
#define POLICY_APP_MAX   255

struct policy_rule {
    char kind[POLICY_NAME_MAX + 1]; /* name, "prefix.*", or empty */
    char app[POLICY_APP_MAX + 1];   /* program file: its path, its name, or empty */
    uint32_t mode;                  /* enum pes_mode, 0: not set here */
    uint32_t fail;                  /* enum pes_fail_wish, 0: not set here */
};

struct policy {
    uint32_t mode;
    uint32_t fail_execution;
    uint32_t fail_other;
    size_t n_rules;
    struct policy_rule rules[POLICY_RULES_MAX];
};

#define POLICY_INIT                                                                                \
    {                                                                                              \
        .mode = PES_MODE_OBSERVE, .fail_execution = PES_FAIL_WISH_WARN,                            \
        .fail_other = PES_FAIL_WISH_ALLOW                                                          \
    }

/* What one question is, as far as policy cares. */
struct policy_question {
    uint32_t kind;
    const char *app;    /* verified path of the program file; "": not known */
    uint32_t fail_wish; /* enum pes_fail_wish */
    uint32_t can;       /* pes_can_flags */
};

struct policy_decision {
    uint32_t mode; /* in force for this question */
    uint32_t disposition;
    uint32_t would;
    uint32_t decided_by;
    uint32_t action;
};

/*
 * Decides. `part_modes` are the modes that the parts count in (0: as the question), `parts` and
 * `result` as given to and made by combine_parts().
 */
void policy_decide(const struct policy *policy, const struct policy_question *question,
                   const struct combine_part *parts, const uint32_t *part_modes, size_t n_parts,
                   const struct combine_result *result, struct policy_decision *ret_decision);

/* The disposition that enforcing this one part's verdict comes to. */
uint32_t policy_would(const struct combine_part *part);

/* Whether this finding of one part alone decides, so that nobody has to be waited for. */
bool policy_is_decisive(const struct policy *policy, const struct policy_question *question,
                        const struct combine_part *part, uint32_t part_mode);

/* Whether it matters what program asks. */
bool policy_has_app_rules(const struct policy *policy);

/* The disposition folded into what the client can do (SPEC 6). */
uint32_t policy_fold(uint32_t disposition, uint32_t can);

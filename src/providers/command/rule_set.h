/* Rules: which signals together mean what. docs/providers/command.md describes their files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "providers/command/addresses.h"
#include "providers/command/pattern_set.h"
#include "providers/command/rule_error.h"

#define RULE_TERM_CHOICES 8
#define RULE_TERMS_MAX    8
#define SIGNAL_KINDS_MAX  1024u /* facts and patterns together */

/* One condition: any of these signals is there, or, negated, none of them is. */
struct rule_term {
    bool is_negated;
    uint8_t n;
    uint16_t signals[RULE_TERM_CHOICES];
};

/* All of these hold. */
struct rule_clause {
    uint8_t n;
    struct rule_term terms[RULE_TERMS_MAX];
};

struct rule_test {
    char *text;
    bool is_match; /* else: it must not match */
    unsigned line;
};

struct rule {
    char *name;
    const char *file; /* name of its file; belongs to the set */
    unsigned line;
    char technique[16];
    uint32_t verdict;
    uint32_t severity;
    uint32_t confidence;
    uint32_t advice;
    struct rule_clause *clauses; /* any of them */
    size_t n_clauses;
    struct rule_test *tests;
    size_t n_tests;
};

struct pattern {
    char *name; /* several expressions may have the same */
    int index;  /* in the set */
    unsigned line;
};

struct rule_set {
    struct rule *rules;
    size_t n_rules;
    char **pattern_names; /* a signal for each, after the facts */
    size_t n_pattern_names;
    uint16_t *name_of_expression; /* index of an expression to that of its name */
    size_t n_expressions;
    struct pattern_set *patterns;
    struct known_addresses known;
    char **files;
    size_t n_files;
    uint64_t digest; /* of names and contents: tells versions apart, guards nothing */
};

#define RULE_SET_INIT                                                                              \
    {                                                                                              \
        .n_rules = 0                                                                               \
    }

/* Loads every *.rules file of the folders and files in `paths` (parted by ':'), or nothing. Returns
 * 0, or -1 with `error` filled in. */
int rule_set_load(struct rule_set *set, const char *paths, struct rule_error *error);
void rule_set_fini(struct rule_set *set);

/* The signal of that name: a fact, or a pattern. -1 when there is none. */
int rule_set_signal(const struct rule_set *set, const char *name, size_t n);

/* Whether one of the rule's clauses holds; `present` has a byte for each signal. `ret_clause` is
 * the one that does. */
bool rule_holds(const struct rule *rule, const uint8_t *present,
                const struct rule_clause **ret_clause);

/* What was noticed in a content, where: facts found by our own code, and patterns that matched. */
#pragma once

#include "providers/command/text.h"

#define SIGNALS_MAX 4096u

/* Facts, by the names that rules use (docs/providers/command.md explains them). */
#define FACTS(X)                                                                                   \
    X(FACT_FETCH, "fetch")                                                                         \
    X(FACT_FETCH_PIPED, "fetch-piped")                                                             \
    X(FACT_FETCH_EVALUATED, "fetch-evaluated")                                                     \
    X(FACT_FETCH_STARTED, "fetch-started")                                                         \
    X(FACT_FETCH_TO_FILE, "fetch-to-file")                                                         \
    X(FACT_WRITTEN_STARTED, "written-started")                                                     \
    X(FACT_DECODED_RUN, "decoded-run")                                                             \
    X(FACT_TEXT_PIPED, "text-piped")                                                               \
    X(FACT_ADDRESS, "address")                                                                     \
    X(FACT_ADDRESS_KNOWN, "address-known")                                                         \
    X(FACT_ADDRESS_UNKNOWN, "address-unknown")                                                     \
    X(FACT_ADDRESS_NUMERIC, "address-numeric")                                                     \
    X(FACT_ADDRESS_ODD, "address-odd")                                                             \
    X(FACT_ADDRESS_PLAIN, "address-plain")                                                         \
    X(FACT_ADDRESS_PORT, "address-port")                                                           \
    X(FACT_ADDRESS_DISGUISED, "address-disguised")                                                 \
    X(FACT_ADDRESS_SCRIPT, "address-script")                                                       \
    X(FACT_ADDRESS_SHARE, "address-share")                                                         \
    X(FACT_HIDDEN_NOISE, "hidden-noise")                                                           \
    X(FACT_HIDDEN_CASE, "hidden-case")                                                             \
    X(FACT_HIDDEN_JOINED, "hidden-joined")                                                         \
    X(FACT_HIDDEN_NAME, "hidden-name")                                                             \
    X(FACT_HIDDEN_VARIABLES, "hidden-variables")                                                   \
    X(FACT_HIDDEN_ESCAPES, "hidden-escapes")                                                       \
    X(FACT_HIDDEN_ENCODED, "hidden-encoded")                                                       \
    X(FACT_HIDDEN_PROGRAM, "hidden-program")                                                       \
    X(FACT_HIDDEN_DEEP, "hidden-deep")                                                             \
    X(FACT_HIDDEN_INVISIBLE, "hidden-invisible")                                                   \
    X(FACT_HIDDEN_LOOKALIKE, "hidden-lookalike")                                                   \
    X(FACT_HIDDEN_PADDING, "hidden-padding")

#define FACT_VALUE(value, name) value,
enum fact {
    FACTS(FACT_VALUE) FACT_COUNT
};
#undef FACT_VALUE

struct signal {
    uint16_t signal; /* enum fact, or FACT_COUNT and the index of a pattern */
    uint16_t view;
    uint32_t from; /* in the view's plain text; for patterns, the window that it is in */
    uint32_t to;
    struct span span; /* in the content */
};

struct signals {
    struct signal hits[SIGNALS_MAX];
    size_t n;
    bool is_incomplete;
};

const char *fact_name(enum fact fact);

void signals_add(struct signals *signals, unsigned signal, unsigned view, const struct text *text,
                 size_t from, size_t to);

/* The few ways in which a content can be read: as it is, cleaned up, and what is encoded in it. */
#pragma once

#include "providers/command/text.h"

#define VIEWS_MAX       24
#define LAYERS_MAX      8
#define VIEW_BYTES_MAX  (1u << 20)
#define TOTAL_BYTES_MAX (6u << 20)

/* How a view came about; flags, with those of the views that it was made from. */
enum view_how {
    VIEW_AS_IS = 0,
    VIEW_ESCAPES = 1u << 0,   /* characters by number */
    VIEW_JOINED = 1u << 1,    /* texts put together */
    VIEW_VARIABLES = 1u << 2, /* values of variables */
    VIEW_NOISE = 1u << 3,     /* marks inside words taken away */
    VIEW_BASE64 = 1u << 4,
    VIEW_HEX = 1u << 5,
    VIEW_NUMBERS = 1u << 6,
    VIEW_INFLATED = 1u << 7,
    VIEW_TURNED = 1u << 8, /* read backwards, or letters moved on by 13 */
};

struct view {
    struct text text;  /* to show */
    struct text plain; /* to match: lower case, one blank for many */
    unsigned layer;    /* 0: the content itself */
    uint32_t how;
};

struct views {
    struct view views[VIEWS_MAX];
    size_t n;
    size_t n_bytes;
    size_t n_invisible;              /* characters taken away by folding */
    size_t n_lookalikes;             /* foreign letters among Latin ones */
    size_t n_noise;                  /* marks inside words */
    size_t n_escapes;                /* characters by number */
    size_t n_joined;                 /* pieces put together */
    size_t n_variables;              /* variables with a known value */
    bool has_program;                /* a program in machine code is encoded in it */
    struct span program;             /* where */
    bool is_incomplete;              /* a limit was hit */
    bool is_late;                    /* time ran out */
    bool (*out_of_time)(void *data); /* or NULL */
    void *data;
};

#define VIEWS_INIT                                                                                 \
    {                                                                                              \
        .n = 0                                                                                     \
    }

/* Makes the views of a content. Never fails; is_incomplete and is_late say what is missing. */
void views_make(struct views *views, const uint8_t *bytes, size_t n);
void views_fini(struct views *views);

/* Which definitions need an administrator: stale, refused, or left half-way. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define ATTENTION_LINES_MAX 64

struct attention {
    size_t n;
    char *lines[ATTENTION_LINES_MAX]; /* "NAME: what", safe to show */
};

#define ATTENTION_INIT                                                                             \
    {                                                                                              \
        .n = 0                                                                                     \
    }

/*
 * Asks pes-definitions about the stores of the system or of this user. What cannot be learnt is
 * not there: `pes definitions status` tells why.
 */
void attention_load(struct attention *attention, bool is_system);
void attention_fini(struct attention *attention);

/* One line each, about `name`, or with NULL about all. */
void attention_print(const struct attention *attention, const char *name, const char *before);

/* A list of the lines. */
json_t *attention_json(const struct attention *attention);

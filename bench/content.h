/* What is asked about: a harmless script, other bytes each time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands in a content that a provider or an engine shall find something in; bench/definitions
 * writes a rule for it. */
#define CONTENT_MARK "pes-bench-mark-5e0c91d7"

struct content {
    char *bytes;
    size_t n_bytes;
    const char *prefix; /* comes first, or NULL */
    uint64_t serial;    /* starts with another number in each client */
};

/* Ends the program when there is no memory. `n_bytes` is at least 128. */
void content_init(struct content *content, size_t n_bytes, const char *prefix, uint64_t serial);
void content_fini(struct content *content);

/* Makes it another one, with the mark in it or not. */
void content_next(struct content *content, bool is_marked);

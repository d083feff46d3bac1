/*
 * Golden vectors: bytes of protocol/vectors, as text in files. protocol/vectors/README.md says how
 * they are written.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/codec.h"

struct vector {
    char group[16]; /* "good", "bad", "accepted" */
    char name[128]; /* "ask/pasted_command", without the ending */
    char outcome[32];
    char field[32];
    size_t n_bytes;
    size_t n_becomes; /* "accepted": what it is when encoded again */
    uint8_t bytes[WIRE_MESSAGE_BYTES_MAX + 64];
    uint8_t becomes[256];
};

typedef void (*vector_fn)(const struct vector *vector, void *userdata);

/* Calls `fn` for each vector of protocol/vectors/<group>, in no order. Any fault in a file aborts.
 */
size_t vector_each(const char *group, vector_fn fn, void *userdata);

/* "WIRE_E_TWICE" and so on to its number; 0 if there is none. */
int vector_outcome(const char *name);

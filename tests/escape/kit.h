/*
 * Attempts to get out of a sandbox, as one table: what a hostile module, exploited content or a
 * taken-over broker would try first.
 *
 * Names begin with the row of the threat model that an attempt belongs to. An attempt counts as
 * contained when the call is refused as such (EPERM, EACCES, ENOSYS) or ends the process (SIGSYS).
 * Anything else, an EINVAL as well, means that the kernel began to work on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who may do a thing by design: a bit per profile. */
enum kit_place {
    KIT_ZYGOTE = 1u << 0,
    KIT_WORKER = 1u << 1,
    KIT_BROKER = 1u << 2,
    KIT_IDENTITY = 1u << 3,
    KIT_RECEIVER = 1u << 4,
    KIT_INIT = 1u << 5,
    KIT_SANITIZER = 1u << 6, /* anybody, in builds with a sanitizer's runtime */
};

struct kit_attempt {
    const char *name;
    long (*run)(void); /* negative and errno, or it worked */
    uint32_t granted;  /* enum kit_place */
};

struct kit_table {
    const struct kit_attempt *attempts;
    size_t n;
};

#define KIT_TABLE(name, rows) const struct kit_table name = {rows, sizeof(rows) / sizeof((rows)[0])}

extern const struct kit_table kit_network;
extern const struct kit_table kit_files;
extern const struct kit_table kit_channels;
extern const struct kit_table kit_processes;
extern const struct kit_table kit_identities;
extern const struct kit_table kit_memory;
extern const struct kit_table kit_kernel;
extern const struct kit_table kit_processor;

/* The attempts in a row; NULL past the last. */
const struct kit_attempt *kit_get(size_t number);

/* Where the content lies, for attempts on it. */
extern const uint8_t *kit_content;
extern size_t kit_n_content;

/*
 * Runs what `text` names: an attempt, or "call NUMBER PATTERN" with PATTERN 0 to
 * KIT_PATTERNS_MAX - 1. Returns "DONE", the name of an errno, or "UNKNOWN"; often not at all.
 */
const char *kit_run(const char *text, size_t n_text);

#define KIT_CALLS_MAX    600 /* numbers 0 to this one */
#define KIT_PATTERNS_MAX 3

/* A system call by number with the arguments of a pattern. */
long kit_call(long number, int pattern);

/* Whether this is how a refused call fails. */
bool kit_is_refusal(const char *result);

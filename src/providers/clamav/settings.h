/* The provider's options: limits of the engine, and what it reports. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "providers/clamav/load_error.h"

struct settings {
    uint64_t max_scansize;  /* bytes, of all layers together */
    uint64_t max_filesize;  /* bytes, of one layer */
    uint64_t max_recursion; /* layers */
    uint64_t max_files;     /* of one content */
    uint64_t max_scantime;  /* ms; the question's own time may be shorter */
    uint64_t all_match;     /* bool, as are the others */
    uint64_t heuristics;
    uint64_t pua;
    uint64_t bytecode;
    uint64_t phishing;
    uint64_t alert_macros;
    uint64_t alert_encrypted;
    uint64_t alert_broken;
    uint64_t alert_limits;
};

void settings_init(struct settings *settings);

/* Takes in one value. Returns 0, or -1 with `error` filled in. */
int setting_take(struct settings *settings, const char *name, const char *value,
                 struct load_error *error);

/* Name of the `i`th option, NULL past the last. */
const char *setting_name(size_t i);

/* What a module is told, and tells, while it loads (struct pes_load). */
#pragma once

#include <stdbool.h>

#include <pes/provider.h>

#define LOAD_VERSION_BYTES 64
#define LOAD_TEXT_BYTES    512

struct pes_load {
    const char *definitions;     /* path, or NULL */
    const char *const *settings; /* "key=value" */
    size_t n_settings;
    bool has_scratch;
    char version[LOAD_VERSION_BYTES];
    char note[LOAD_TEXT_BYTES];
    char failure[LOAD_TEXT_BYTES];
};

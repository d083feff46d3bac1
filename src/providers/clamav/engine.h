/* libclamav, loaded and ready to scan with. */
#pragma once

#include <clamav.h>
#include <stdbool.h>

#include <pes/provider.h>

#include "providers/clamav/load_error.h"
#include "providers/clamav/settings.h"

struct engine {
    struct cl_engine *engine;
    struct settings settings;
    struct cl_scan_options options;
    unsigned n_signatures;
    size_t n_files;
    size_t n_warnings;  /* of libclamav while it loaded */
    char warning[160];  /* the first of them */
    char digest[13];    /* of the database files */
    bool has_self_test; /* the signature for our own sample was among them */
};

#define ENGINE_INIT                                                                                \
    {                                                                                              \
        .engine = NULL                                                                             \
    }

/* Loads everything at `paths` (files and folders separated by ':') or nothing. `scratch` is where
 * temporary files go while scanning. Settings must be there. Returns 0, or -1 with `error` filled
 * in. */
int engine_load(struct engine *engine, const char *paths, const char *scratch,
                struct load_error *error);
void engine_fini(struct engine *engine);

/* Scans the content of `scan` and reports into it (engine_scan.c). Never fails: coverage says what
 * was left out. */
void engine_scan(struct engine *engine, struct pes_scan *scan);

/* Takes the callbacks that engine_scan() needs. */
void engine_scan_prepare(struct engine *engine);

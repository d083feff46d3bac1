/*
 * libclamav in the asking process, as applications do it today.
 *
 * The same databases and settings as the provider's, as far as they change the work: all matches,
 * no cache of clean content, no compiled bytecode. Temporary files go to memory there as well.
 */
#include <clamav.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine.h"

#define FOLDER_IN_MEMORY "/dev/shm"
#define MAX_BYTES        (1LL << 30)

struct engine {
    struct cl_engine *engine;
    unsigned n_signatures;
};

struct engine_scanner {
    struct cl_engine *engine;
};

static bool engine_fill(struct engine *engine, const char *folder)
{
    if (cl_load(folder, engine->engine, &engine->n_signatures, CL_DB_STDOPT) != CL_SUCCESS) {
        return false;
    }
    if (access(FOLDER_IN_MEMORY, W_OK) == 0) {
        cl_engine_set_str(engine->engine, CL_ENGINE_TMPDIR, FOLDER_IN_MEMORY);
    }
    cl_engine_set_num(engine->engine, CL_ENGINE_DISABLE_CACHE, 1);
    cl_engine_set_num(engine->engine, CL_ENGINE_MAX_FILESIZE, MAX_BYTES);
    cl_engine_set_num(engine->engine, CL_ENGINE_MAX_SCANSIZE, MAX_BYTES);
    cl_engine_set_num(engine->engine, CL_ENGINE_BYTECODE_MODE, CL_BYTECODE_MODE_INTERPRETER);
    return cl_engine_compile(engine->engine) == CL_SUCCESS;
}

struct engine *engine_open(const char *folder)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (!engine || cl_init(CL_INIT_DEFAULT) != CL_SUCCESS) {
        free(engine);
        return NULL;
    }
    engine->engine = cl_engine_new();
    if (!engine->engine || !engine_fill(engine, folder)) {
        engine_close(engine);
        return NULL;
    }
    return engine;
}

/* libclamav keeps what belongs to one scan on the stack: threads share the engine as it is. */
struct engine_scanner *engine_scanner_new(struct engine *engine)
{
    struct engine_scanner *scanner = calloc(1, sizeof(*scanner));

    if (!scanner) {
        fputs("bench: out of memory\n", stderr);
        exit(1);
    }
    scanner->engine = engine->engine;
    return scanner;
}

void engine_scanner_free(struct engine_scanner *scanner)
{
    free(scanner);
}

unsigned engine_scan(struct engine_scanner *scanner, const void *bytes, size_t n_bytes)
{
    struct cl_scan_options options = {
        .general = CL_SCAN_GENERAL_ALLMATCHES | CL_SCAN_GENERAL_HEURISTICS,
        .parse = ~0u,
    };
    cl_fmap_t *map = cl_fmap_open_memory(bytes, n_bytes);
    unsigned long n_scanned = 0;
    const char *name = NULL;
    cl_error_t status;

    status =
        map ? cl_scanmap_callback(map, NULL, &name, &n_scanned, scanner->engine, &options, NULL)
            : CL_EMEM;
    if (map) {
        cl_fmap_close(map);
    }
    if (status != CL_CLEAN && status != CL_VIRUS) {
        fprintf(stderr, "bench: libclamav failed: %s\n", cl_strerror(status));
        exit(1);
    }
    return status == CL_VIRUS;
}

bool engine_takes_packed(void)
{
    return true;
}

size_t engine_n_rules(const struct engine *engine)
{
    return engine->n_signatures;
}

void engine_close(struct engine *engine)
{
    if (engine->engine) {
        cl_engine_free(engine->engine);
    }
    free(engine);
}

/*
 * The command provider in the asking process: its real module, loaded without its sandbox as the
 * unit tests do. Other than the rest it is no library that an application could have linked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "module_host.h"

struct engine {
    struct module_host host;
};

/* The module is called by one thread at a time, in pes as here. */
struct engine_scanner {
    struct engine *engine;
    struct pes_scan scan;
};

struct engine *engine_open(const char *folder)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (!engine) {
        return NULL;
    }
    module_host_open(&engine->host, COMMAND_MODULE);
    if (module_host_load(&engine->host, folder, NULL) != 0) {
        fprintf(stderr, "bench: %s\n", engine->host.load.failure);
        free(engine);
        return NULL;
    }
    return engine;
}

struct engine_scanner *engine_scanner_new(struct engine *engine)
{
    struct engine_scanner *scanner = calloc(1, sizeof(*scanner));

    if (!scanner) {
        fputs("bench: out of memory\n", stderr);
        exit(1);
    }
    scanner->engine = engine;
    return scanner;
}

void engine_scanner_free(struct engine_scanner *scanner)
{
    free(scanner);
}

unsigned engine_scan(struct engine_scanner *scanner, const void *bytes, size_t n_bytes)
{
    if (module_host_scan(&scanner->engine->host, &scanner->scan, bytes, n_bytes) != 0) {
        fputs("bench: the command provider failed\n", stderr);
        exit(1);
    }
    return (unsigned)scanner->scan.n_findings;
}

bool engine_takes_packed(void)
{
    return false;
}

size_t engine_n_rules(const struct engine *engine)
{
    return strtoul(engine->host.load.note, NULL, 10); /* "97 rules..." */
}

void engine_close(struct engine *engine)
{
    free(engine); /* a provider is ended without a call */
}

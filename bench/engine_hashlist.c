/*
 * Hash lists in the asking process: the provider's own reader, with the digests that the lists
 * need, and no copy of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "providers/hashlist/content_digests.h"
#include "providers/hashlist/list_set.h"

struct engine {
    struct list_set set;
    bool wanted[LIST_N_ALGORITHMS];
};

struct engine_scanner {
    struct engine *engine;
    struct content_digests digests;
};

/* What pes-host would give to the reader: the bytes, and all the time in the world. */
struct pes_scan {
    const uint8_t *bytes;
    size_t n_bytes;
};

const uint8_t *pes_scan_bytes(const struct pes_scan *scan, size_t *ret_n_bytes)
{
    *ret_n_bytes = scan->n_bytes;
    return scan->bytes;
}

uint64_t pes_scan_time_left_us(const struct pes_scan *scan)
{
    return UINT64_MAX;
}

struct engine *engine_open(const char *folder)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    char error[LIST_ERROR_BYTES];

    if (!engine) {
        return NULL;
    }
    if (list_set_open(&engine->set, folder, error) < 0) {
        fprintf(stderr, "bench: %s\n", error);
        free(engine);
        return NULL;
    }
    for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
        engine->wanted[a] = list_set_has(&engine->set, (enum list_algorithm)a);
    }
    return engine;
}

struct engine_scanner *engine_scanner_new(struct engine *engine)
{
    struct engine_scanner *scanner = calloc(1, sizeof(*scanner));

    if (!scanner || content_digests_init(&scanner->digests, engine->wanted) < 0) {
        fputs("bench: no memory for digests\n", stderr);
        exit(1);
    }
    scanner->engine = engine;
    return scanner;
}

void engine_scanner_free(struct engine_scanner *scanner)
{
    content_digests_fini(&scanner->digests);
    free(scanner);
}

unsigned engine_scan(struct engine_scanner *scanner, const void *bytes, size_t n_bytes)
{
    struct engine *engine = scanner->engine;
    const struct pes_scan scan = {.bytes = bytes, .n_bytes = n_bytes};
    struct list_hit hit;
    size_t n_done;
    unsigned n = 0;

    if (content_digests_scan(&scanner->digests, &scan, &n_done) < 0 || n_done < n_bytes) {
        fputs("bench: libcrypto failed\n", stderr);
        exit(1);
    }
    for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
        if (!engine->wanted[a]) {
            continue;
        }
        if (list_set_find(&engine->set, (enum list_algorithm)a, scanner->digests.digests[a], &hit) <
            0) {
            fputs("bench: the list is damaged\n", stderr);
            exit(1);
        }
        n += hit.action != LIST_NONE;
    }
    return n;
}

bool engine_takes_packed(void)
{
    return true;
}

size_t engine_n_rules(const struct engine *engine)
{
    size_t n = 0;

    for (size_t i = 0; i < engine->set.n_lists; i++) {
        for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
            n += engine->set.lists[i].header.n_rows[a];
        }
    }
    return n;
}

void engine_close(struct engine *engine)
{
    list_set_fini(&engine->set);
    free(engine);
}

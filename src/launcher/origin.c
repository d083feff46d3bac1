/*
 * What one generation was started from.
 *
 * The configuration may be replaced while a generation runs, and `definitions` is often a link to
 * the version of now (docs/definitions.md). So each generation has a copy of the part of its
 * configuration that reaches its processes, with the paths that the links led to when it was
 * started: from that the definitions before can be loaded again when new ones fail. A path that
 * cannot be followed stays as it is; loading it tells why.
 */
#include "launcher/origin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/config_provider.h"

/* Paths with ':' between them, each followed. NULL: out of memory. */
static char *follow_all(const char *paths)
{
    CLEANUP(freep) char *copy = strdup(paths);
    CLEANUP(freep) char *joined = NULL;
    char *rest = copy;
    char *path;

    while (rest && (path = strsep(&rest, ":"))) {
        char real[PATH_MAX];
        char *longer = NULL;

        if (asprintf(&longer, "%s%s%s", joined ? joined : "", joined ? ":" : "",
                     realpath(path, real) ? real : path) < 0) {
            return NULL;
        }
        free(joined);
        joined = longer;
    }
    return TAKE_PTR(joined);
}

int origin_take(struct config_provider *ret, const struct config_provider *config)
{
    CLEANUP(config_provider_fini) struct config_provider origin;

    config_provider_init(&origin);
    origin.n_workers = config->n_workers;
    origin.memory_mib = config->memory_mib;
    origin.scratch_mib = config->scratch_mib;
    origin.load_timeout_ms = config->load_timeout_ms;
    origin.module = strdup(config->module);
    origin.definitions = config->definitions ? follow_all(config->definitions) : NULL;
    if (!origin.module || (config->definitions && !origin.definitions)) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->options.n; i++) {
        origin.options.items[i] = strdup(config->options.items[i]);
        if (!origin.options.items[i]) {
            return -ENOMEM;
        }
        origin.options.n++;
    }
    *ret = origin;
    config_provider_init(&origin);
    return 0;
}

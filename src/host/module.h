/* A provider's module: loaded, checked, with its definitions. */
#pragma once

#include <pes/provider.h>

#include "base/cleanup.h"
#include "host/host_options.h"
#include "host/load_context.h"

#define MODULE_KINDS_MAX  64
#define MODULE_TEXT_BYTES 1024

struct module {
    struct pes_provider provider; /* a copy; what it points to is the module's */
    void *state;
    uint32_t kinds[MODULE_KINDS_MAX];
    size_t n_kinds;
    struct pes_load load;
};

#define MODULE_INIT                                                                                \
    {                                                                                              \
        .state = NULL                                                                              \
    }

/* Loads the shared object in `fd` and checks what it exports. Returns 0, or -1 and in `ret_text`
 * why not. */
MUST_CHECK int module_open(struct module *module, int fd, char ret_text[MODULE_TEXT_BYTES]);

/* Has it load its definitions. As module_open(). */
MUST_CHECK int module_load(struct module *module, const struct host_options *options,
                           char ret_text[MODULE_TEXT_BYTES]);

/* Whether it declared this kind. */
bool module_takes(const struct module *module, uint32_t kind);

/* The keys of providers.d/NAME.conf. */
#pragma once

#include "launcher/config.h"

/* The defaults. */
void config_provider_init(struct config_provider *provider);
void config_provider_fini(struct config_provider *provider);

/*
 * Parses the text of one provider's file into a provider that has its defaults; changes the text.
 * Without a key `name` its name is the file's, less ".conf". Returns 0 (look at the problems) or
 * -ENOMEM.
 */
MUST_CHECK int config_provider_parse(struct config_provider *provider, const char *file, char *text,
                                     size_t n_text, struct problems *problems);

/*
 * Makes the paths absolute and looks whether the files are there. Returns 0 (look at the
 * problems) or -ENOMEM.
 */
MUST_CHECK int config_provider_resolve(struct config_provider *provider, const struct paths *paths,
                                       struct problems *problems);

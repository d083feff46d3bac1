/* The keys of pes.conf. */
#pragma once

#include "launcher/config.h"

/*
 * Parses the text of pes.conf into a config that has its defaults; changes the text. Returns 0
 * (look at the problems) or -ENOMEM.
 */
MUST_CHECK int config_main_parse(struct config *config, const char *file, char *text, size_t n_text,
                                 struct problems *problems);

/* Frees what pes.conf filled; everything has its default then. */
void config_main_fini(struct config *config);

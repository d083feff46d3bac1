/* What became of each input, for people and for programs. */
#pragma once

#include <stdio.h>

#include "providers/hashlist/build/list_build.h"

/* Broken lines as FILE:LINE: REASON, some of each input. */
void report_broken(const struct list_build *build, FILE *out);

/* Why nothing was built. */
void report_failure(const struct feed *feed, FILE *out);

/* A table. `header` is that of the list, or NULL when none was written. */
void report_table(const struct list_build *build, const char *path,
                  const struct list_header *header, FILE *out);

/* The same as one JSON object. 0 or -1. */
int report_json(const struct list_build *build, const char *path, const struct list_header *header,
                FILE *out);

/* A path, harmless on a terminal. */
void report_safe(char *out, size_t n_out, const char *text);

/* Writes sorted entries as a compiled list. */
#pragma once

#include "providers/hashlist/build/entries.h"

/*
 * Writes a file beside `path`, checks it by reading it, and puts it in the place of `path`; an
 * older file there is never changed, and stays when something fails. `sources` are names. Returns 0
 * and the header, or -1 with one line in `ret_error`.
 */
int list_write(const struct entries *entries, const char *const *sources, size_t n_sources,
               uint64_t built, const char *path, struct list_header *ret_header, char *ret_error,
               size_t n_error);

/* The database files of the configured folders, and what they are by digest. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "providers/clamav/load_error.h"

struct database_files {
    char **paths; /* sorted */
    size_t n_paths;
    char digest[13]; /* of names and contents, start of a SHA-256 in hexadecimal */
};

#define DATABASE_FILES_INIT                                                                        \
    {                                                                                              \
        .paths = NULL, .n_paths = 0                                                                \
    }

/*
 * Finds the databases of `paths`, files and folders separated by ':', and reads all of them for
 * their digest. In a folder these are the files that libclamav would load, by their suffix. Returns
 * 0, or -1 with `error` filled in.
 */
int database_files_find(struct database_files *files, const char *paths, struct load_error *error);
void database_files_fini(struct database_files *files);

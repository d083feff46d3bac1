/* The rule files of the configured folders, in a fixed order. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "providers/yara/rule_error.h"

struct rule_file {
    char *path;
    char *name; /* path below its folder: the namespace of its rules */
};

struct rule_files {
    struct rule_file *files;
    size_t n_files;
};

#define RULE_FILES_INIT                                                                            \
    {                                                                                              \
        .files = NULL, .n_files = 0                                                                \
    }

/*
 * Finds the rule files below `paths`: folders and files, separated by ':'. In a folder these are
 * all *.yar, *.yara and *.yarc at any depth that is not below a hidden folder; a file that is named
 * itself may be called anything. Sorted by name; no two names are equal. Returns 0, or -1 with
 * `error` filled in.
 */
int rule_files_find(struct rule_files *files, const char *paths, struct rule_error *error);
void rule_files_fini(struct rule_files *files);

/*
 * Reads a whole file, with a zero byte after its end that is not counted. The caller frees it.
 * Returns 0, or -1 with `error` filled in.
 */
int rule_file_read(const struct rule_file *file, char **ret_bytes, size_t *ret_n_bytes,
                   struct rule_error *error);

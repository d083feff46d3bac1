/* A compiled hash list, read where it lies. Nothing is loaded: a lookup touches a few pages. */
#pragma once

#include "providers/hashlist/list_format.h"

#define LIST_ERROR_BYTES 480u

struct list_file {
    const uint8_t *bytes;
    size_t n_bytes;
    bool is_mapped;
    struct list_header header;
    struct list_layout layout;
};

#define LIST_FILE_INIT                                                                             \
    {                                                                                              \
        .bytes = NULL                                                                              \
    }

struct list_hit {
    enum list_action action;
    char name[LIST_NAME_BYTES_MAX + 1];
    char source[LIST_NAME_BYTES_MAX + 1];
};

/*
 * Maps the list at `path`, read-only, and checks its header, its length and what holds the sections
 * together; the rows are not read. Returns 0, or -1 with one line in `ret_error`: file, what is
 * wrong, what to do.
 */
int list_file_open(struct list_file *list, const char *path, char ret_error[LIST_ERROR_BYTES]);

/* The same for bytes in memory, which stay the caller's. NULL, or what is wrong. */
const char *list_file_init(struct list_file *list, const uint8_t *bytes, size_t n_bytes);

void list_file_fini(struct list_file *list);

/*
 * Looks up a digest. Returns 0 and the hit, whose action is LIST_NONE when the digest is not
 * listed; or -EBADMSG when the part of the file that would tell is damaged, which is not the same.
 */
int list_file_find(const struct list_file *list, enum list_algorithm algorithm,
                   const uint8_t *digest, struct list_hit *ret_hit);

/* Reads all of it: digest of the body, order of the rows. NULL, or what is wrong. */
const char *list_file_verify(const struct list_file *list);

/*
 * list_set: several compiled lists that count as one.
 *
 * A folder stands for its *.hashlist files, in the order of their names; nothing below it is looked
 * at. It is all or nothing: if one list cannot be used none is, since a set with a hole looks like
 * protection that is not there.
 */
#include "providers/hashlist/list_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX ".hashlist"

static int say(char ret_error[LIST_ERROR_BYTES], const char *path, const char *what)
{
    snprintf(ret_error, LIST_ERROR_BYTES, "%s: %s", path, what);
    return -1;
}

static int add(struct list_set *set, const char *path, char ret_error[LIST_ERROR_BYTES])
{
    if (set->n_lists == LIST_SET_MAX) {
        return say(ret_error, path, "more than 32 lists; build one from several inputs instead");
    }
    if (list_file_open(&set->lists[set->n_lists], path, ret_error) < 0) {
        return -1;
    }
    set->paths[set->n_lists] = strdup(path);
    set->n_lists++;
    return set->paths[set->n_lists - 1] ? 0 : say(ret_error, path, "out of memory");
}

static int is_list(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > strlen(SUFFIX) &&
           strcmp(entry->d_name + n - strlen(SUFFIX), SUFFIX) == 0;
}

static int add_folder(struct list_set *set, const char *path, char ret_error[LIST_ERROR_BYTES])
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_list, alphasort);
    int r = 0;

    if (n < 0) {
        return say(ret_error, path, "cannot be read; the provider's user must be able to");
    }
    for (int i = 0; i < n; i++) {
        char *file = NULL;

        if (r == 0) {
            r = asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0
                    ? say(ret_error, path, "out of memory")
                    : add(set, file, ret_error);
            free(file);
        }
        free(entries[i]);
    }
    free(entries);
    if (r == 0 && n == 0) {
        return say(ret_error, path,
                   "no *.hashlist in it; make one with `pes definitions build --type hashlist`");
    }
    return r;
}

static int add_path(struct list_set *set, const char *path, char ret_error[LIST_ERROR_BYTES])
{
    struct stat info;

    if (stat(path, &info) < 0) {
        return say(ret_error, path,
                   errno == ENOENT ? "does not exist; correct `definitions` in the provider's "
                                     "configuration"
                                   : "cannot be read; the provider's user must be able to");
    }
    return S_ISDIR(info.st_mode) ? add_folder(set, path, ret_error) : add(set, path, ret_error);
}

int list_set_open(struct list_set *set, const char *paths, char ret_error[LIST_ERROR_BYTES])
{
    char *copy = strdup(paths);
    char *rest = copy;
    int r = copy ? 0 : say(ret_error, paths, "out of memory");

    *set = (struct list_set)LIST_SET_INIT;
    while (rest && r == 0) {
        const char *path = strsep(&rest, ":");

        r = *path != '\0' ? add_path(set, path, ret_error) : 0;
    }
    free(copy);
    if (r == 0 && set->n_lists == 0) {
        r = say(ret_error, "hashlist",
                "no list given; set `definitions` in the provider's configuration");
    }
    if (r < 0) {
        list_set_fini(set);
    }
    return r;
}

void list_set_fini(struct list_set *set)
{
    for (size_t i = 0; i < set->n_lists; i++) {
        list_file_fini(&set->lists[i]);
        free(set->paths[i]);
    }
    *set = (struct list_set)LIST_SET_INIT;
}

bool list_set_has(const struct list_set *set, enum list_algorithm algorithm)
{
    for (size_t i = 0; i < set->n_lists; i++) {
        if (set->lists[i].header.n_rows[algorithm] > 0) {
            return true;
        }
    }
    return false;
}

static unsigned rank(enum list_action action)
{
    switch (action) {
    case LIST_NONE:
        break;
    case LIST_ALLOW:
        return 1;
    case LIST_TEST:
        return 2;
    case LIST_DENY:
        return 3;
    }
    return 0;
}

int list_set_find(const struct list_set *set, enum list_algorithm algorithm, const uint8_t *digest,
                  struct list_hit *ret_hit)
{
    int r = 0;

    *ret_hit = (struct list_hit){.action = LIST_NONE};
    for (size_t i = 0; i < set->n_lists; i++) {
        struct list_hit hit;

        if (list_file_find(&set->lists[i], algorithm, digest, &hit) < 0) {
            r = -EBADMSG;
        } else if (rank(hit.action) > rank(ret_hit->action)) {
            *ret_hit = hit;
        }
    }
    /* A finding stands, whatever else is damaged; the absence of one does not. */
    return ret_hit->action == LIST_DENY || ret_hit->action == LIST_TEST ? 0 : r;
}

/*
 * A walk through a folder.
 *
 * Every name is opened relative to its folder's descriptor and without following symbolic links, so
 * that nobody can lead the walk elsewhere by renaming what was passed already; there can be no
 * loop, and a path may be longer than PATH_MAX. Other file systems are entered. One descriptor is
 * held per level: a tree deeper than the descriptor limit gives entries with EMFILE, not silence.
 *
 * The names of one folder per level are held in memory and sorted, so that output is the same on
 * every run.
 */
#include "cli/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct walk_level {
    struct walk_level *up;
    char *path;
    int fd;
    char **names;
    size_t n_names;
    size_t next;
};

struct walk {
    struct walk_level *level;
};

static void level_free(struct walk_level *level)
{
    if (!level) {
        return;
    }
    for (size_t i = 0; i < level->n_names; i++) {
        free(level->names[i]);
    }
    free(level->names);
    free(level->path);
    closep(&level->fd);
    free(level);
}

static void level_freep(struct walk_level **level)
{
    level_free(*level);
}

static void closedirp(DIR **dir)
{
    if (*dir) {
        closedir(*dir);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int level_add(struct walk_level *level, size_t *n_allocated, const char *name)
{
    if (level->n_names == *n_allocated) {
        size_t n = *n_allocated ? *n_allocated * 2 : 32;
        char **names = reallocarray(level->names, n, sizeof(*names));

        if (!names) {
            return -ENOMEM;
        }
        level->names = names;
        *n_allocated = n;
    }
    level->names[level->n_names] = strdup(name);
    if (!level->names[level->n_names]) {
        return -ENOMEM;
    }
    level->n_names++;
    return 0;
}

static int level_read(struct walk_level *level)
{
    CLEANUP(closedirp) DIR *dir = NULL;
    CLEANUP(closep) int copy = fcntl(level->fd, F_DUPFD_CLOEXEC, 0);
    size_t n_allocated = 0;
    int r;

    if (copy < 0) {
        return -errno;
    }
    dir = fdopendir(copy);
    if (!dir) {
        return -errno;
    }
    (void)TAKE_FD(copy);
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        r = level_add(level, &n_allocated, entry->d_name);
        if (r < 0) {
            return r;
        }
    }
    if (errno != 0) {
        return -errno;
    }
    if (level->n_names > 0) {
        qsort(level->names, level->n_names, sizeof(level->names[0]), compare_names);
    }
    return 0;
}

/* Takes @fd, also on failure. */
static int walk_push(struct walk *walk, int fd, const char *path)
{
    CLEANUP(closep) int owned = fd;
    CLEANUP(level_freep) struct walk_level *level = calloc(1, sizeof(*level));
    int r;

    if (!level) {
        return -ENOMEM;
    }
    level->fd = TAKE_FD(owned);
    level->path = strdup(path);
    if (!level->path) {
        return -ENOMEM;
    }
    r = level_read(level);
    if (r < 0) {
        return r;
    }
    level->up = walk->level;
    walk->level = TAKE_PTR(level);
    return 0;
}

void walk_free(struct walk *walk)
{
    if (!walk) {
        return;
    }
    while (walk->level) {
        struct walk_level *level = walk->level;

        walk->level = level->up;
        level_free(level);
    }
    free(walk);
}

int walk_new(struct walk **ret_walk, int dir_fd, const char *path)
{
    CLEANUP(closep) int owned = dir_fd;
    CLEANUP(walk_freep) struct walk *walk = calloc(1, sizeof(*walk));
    int r;

    if (!walk) {
        return -ENOMEM;
    }
    r = walk_push(walk, TAKE_FD(owned), path);
    if (r < 0) {
        return r;
    }
    *ret_walk = TAKE_PTR(walk);
    return 0;
}

void walk_entry_fini(struct walk_entry *entry)
{
    free(entry->path);
    closep(&entry->path_fd);
    *entry = (struct walk_entry)WALK_ENTRY_INIT;
}

/* Looks at one name. Return: 0; entry->error says what went wrong with it. */
static int entry_look(struct walk_entry *entry, const struct walk_level *level, const char *name)
{
    size_t n_path = strlen(level->path);
    bool has_slash = n_path > 0 && level->path[n_path - 1] == '/';

    if (asprintf(&entry->path, "%s%s%s", level->path, has_slash ? "" : "/", name) < 0) {
        entry->path = NULL;
        return -ENOMEM;
    }
    entry->path_fd = openat(level->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (entry->path_fd < 0 || fstat(entry->path_fd, &entry->st) < 0) {
        entry->error = errno;
        closep(&entry->path_fd);
        entry->path_fd = -1;
    }
    return 0;
}

/* Goes into the folder that @entry is. */
static int walk_enter(struct walk *walk, struct walk_entry *entry)
{
    /* From the folder that was looked at, not by name a second time. */
    int fd = openat(entry->path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0) {
        return -errno;
    }
    closep(&entry->path_fd);
    entry->path_fd = -1;
    r = walk_push(walk, fd, entry->path);
    return r;
}

int walk_next(struct walk *walk, struct walk_entry *ret_entry)
{
    while (walk->level) {
        CLEANUP(walk_entry_fini) struct walk_entry entry = WALK_ENTRY_INIT;
        struct walk_level *level = walk->level;
        int r;

        if (level->next == level->n_names) {
            walk->level = level->up;
            level_free(level);
            continue;
        }
        r = entry_look(&entry, level, level->names[level->next++]);
        if (r < 0) {
            return r;
        }
        if (entry.error == 0 && S_ISDIR(entry.st.st_mode)) {
            r = walk_enter(walk, &entry);
            if (r == 0) {
                continue;
            }
            if (r == -ENOMEM) {
                return r;
            }
            entry.error = -r;
        }
        *ret_entry = entry;
        entry = (struct walk_entry)WALK_ENTRY_INIT;
        return 0;
    }
    return WALK_E_END;
}

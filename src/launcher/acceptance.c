/*
 * Definitions that are meant to find less.
 *
 * `pes definitions update --accept` puts a file VERSION.accepted beside the version that it makes
 * (docs/definitions.md). Since a generation's paths are followed when it is started, that file is
 * found from them: STORE/NAME/versions/VERSION, or something below it. It counts only for paths
 * that what serves was not started from, so that it excuses the change that it was made for (and
 * coming back to that version), and nothing that happens to other definitions or to a module later.
 * Whoever can make it can replace the definitions as well; it must be a plain file of root or of
 * us that nobody else can write. Nothing is read from it.
 */
#include "launcher/acceptance.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define VERSIONS "/versions/"

/* The last one: what lies above a store may be called anything. */
static const char *find_versions(const char *path)
{
    const char *found = NULL;

    for (const char *at = path; (at = strstr(at, VERSIONS)); at++) {
        found = at;
    }
    return found;
}

static bool is_accepted(const char *path)
{
    const char *versions = find_versions(path);
    char name[PATH_MAX];
    struct stat st;
    size_t n;
    int r;

    if (!versions) {
        return false;
    }
    n = (size_t)(strchrnul(versions + strlen(VERSIONS), '/') - path);
    r = snprintf(name, sizeof(name), "%.*s.accepted", (int)n, path);
    return r > 0 && (size_t)r < sizeof(name) && lstat(name, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static bool contains(const char *paths, const char *path)
{
    size_t n = strlen(path);

    for (const char *at = paths; at; at = strchr(at, ':')) {
        at += *at == ':' ? 1 : 0;
        if (strncmp(at, path, n) == 0 && (at[n] == ':' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

bool acceptance_covers(const char *paths, const char *before)
{
    CLEANUP(freep) char *copy = paths ? strdup(paths) : NULL;
    char *rest = copy;
    bool is_new = false;
    char *path;

    while (rest && (path = strsep(&rest, ":"))) {
        if (!contains(before, path)) {
            if (!is_accepted(path)) {
                return false;
            }
            is_new = true;
        }
    }
    return is_new;
}

/*
 * Where the parts of an installation are.
 *
 * They are found from the place of the running program, by the relative ways that were fixed when
 * it was built: a tree that was staged or moved as a whole works where it is. No environment
 * variable has a say, or whoever starts a daemon with rights could give it other programs.
 */
#include "launcher/paths.h"

#include <stdio.h>
#include <string.h>

int paths_join(char ret[PATH_MAX], const char *folder, const char *name)
{
    int n;

    if (name[0] == '/') {
        n = snprintf(ret, PATH_MAX, "%s", name);
    } else {
        n = snprintf(ret, PATH_MAX, "%s/%s", folder, name);
    }
    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Takes the last part off; "/" stays. */
static void cut_last(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash) {
        slash[slash == path ? 1 : 0] = '\0';
    }
}

/* Follows a relative way, whose ".." are taken off here so that paths in messages are short. */
static int follow(char ret[PATH_MAX], const char *folder, const char *way)
{
    char base[PATH_MAX];
    int r = paths_join(base, "/", folder);

    if (r < 0) {
        return r;
    }
    while (strncmp(way, "../", 3) == 0) {
        cut_last(base);
        way += 3;
    }
    if (strcmp(base, "/") == 0) {
        base[0] = '\0';
    }
    return paths_join(ret, base, way);
}

int paths_init_from(struct paths *ret, const char *exe)
{
    char folder[PATH_MAX];
    struct paths paths;
    int r = paths_join(folder, "/", exe);

    if (r < 0) {
        return r;
    }
    cut_last(folder);
    r = follow(paths.libexec, folder, PES_WAY_TO_LIBEXEC);
    if (r == 0) {
        r = follow(paths.providers, folder, PES_WAY_TO_PROVIDERS);
    }
    if (r == 0) {
        r = follow(paths.share, folder, PES_WAY_TO_SHARE);
    }
    if (r == 0) {
        *ret = paths;
    }
    return r;
}

int paths_init(struct paths *ret)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (n < 0) {
        return -errno;
    }
    exe[n] = '\0';
    return paths_init_from(ret, exe);
}

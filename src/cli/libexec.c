/*
 * libexec: hands over to a program of its own.
 *
 * What loads foreign code or reads foreign files beyond a question's content is not done by `pes`
 * itself but by a program beside the service's. It is found from where this program is, so that a
 * tree that was moved still works.
 */
#include "cli/libexec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/outcome.h"

/* From the folder of `pes` to the folder of these programs, as installed. */
#ifndef PES_LIBEXEC_FROM_BIN
#error "meson.build must define PES_LIBEXEC_FROM_BIN"
#endif

/* Return: heap, or NULL. */
static char *path_dup(const char *name)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;
    char *path;

    if (n <= 0) {
        return NULL;
    }
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (!slash) {
        return NULL;
    }
    *slash = '\0';
    if (asprintf(&path, "%s/%s/%s", self, PES_LIBEXEC_FROM_BIN, name) < 0) {
        return NULL;
    }
    return path;
}

int libexec_run(const char *name, char **argv)
{
    CLEANUP(freep) char *path = path_dup(name);
    CLEANUP(freep) char *safe = NULL;

    if (!path) {
        fprintf(stderr, "pes: its own place cannot be found; is /proc mounted?\n");
        return EXIT_NOT_ASKED;
    }
    argv[0] = path;
    execv(path, argv);
    safe = human_text_dup(path);
    fprintf(stderr, "pes: '%s' cannot be run: %s; is pes installed completely?\n",
            safe ? safe : "?", strerror(errno));
    return EXIT_NOT_ASKED;
}

/*
 * pes provider check: run the conformance suite on a module.
 *
 * The suite is a program of its own beside the service's, since it loads foreign code and this one
 * never does. It is found from where this program is, so that a tree that was moved still works.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/human.h"
#include "cli/outcome.h"

/* From the folder of `pes` to the folder of the check, as installed. */
#ifndef PES_LIBEXEC_FROM_BIN
#error "meson.build must define PES_LIBEXEC_FROM_BIN"
#endif

/* Return: heap, or NULL. */
static char *checker_path_dup(void)
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
    if (asprintf(&path, "%s/%s/pes-provider-check", self, PES_LIBEXEC_FROM_BIN) < 0) {
        return NULL;
    }
    return path;
}

static int run(int argc, char **argv)
{
    CLEANUP(freep) char *path = NULL;
    CLEANUP(freep) char *safe = NULL;

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return command_print_help(&command_provider);
    }
    if (argc < 2) {
        return command_usage("provider", "say what to do: 'check'");
    }
    if (strcmp(argv[1], "check") != 0) {
        return command_usage("provider", "there is no command '%s'", argv[1]);
    }
    if (argc < 3) {
        return command_usage("provider", "name the module to check");
    }
    path = checker_path_dup();
    if (!path) {
        fprintf(stderr, "pes: its own place cannot be found; is /proc mounted?\n");
        return EXIT_NOT_ASKED;
    }
    argv[1] = path;
    execv(path, argv + 1);
    safe = human_text_dup(path);
    fprintf(stderr, "pes: '%s' cannot be run: %s; is pes installed completely?\n",
            safe ? safe : "?", strerror(errno));
    return EXIT_NOT_ASKED;
}

static const char help_text[] =
    "Usage: pes provider check MODULE [ARGUMENT]...\n"
    "\n"
    "Runs the conformance suite on a provider module (a shared object) and prints a\n"
    "JSON certificate. All arguments are passed on: 'pes provider check MODULE --help'.\n"
    "\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: that of the suite; 2 when it cannot be run. 64 wrong use.\n";

const struct command command_provider = {
    .name = "provider",
    .summary = "check a provider module",
    .help = help_text,
    .run = run,
};

/*
 * pes provider: check a module, make packages, install them.
 *
 * Programs of their own beside the service's do the work, since one loads foreign code and the
 * other reads strangers' packages; this one never does.
 */
#include <stdbool.h>
#include <string.h>

#include "cli/command.h"
#include "cli/libexec.h"

static bool is_about_packages(const char *verb)
{
    static const char *const verbs[] = {"build", "sign", "verify", "install", "remove", "list"};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int run(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return command_print_help(&command_provider);
    }
    if (argc < 2) {
        return command_usage("provider",
                             "say what to do: check, build, sign, verify, install, remove or list");
    }
    if (is_about_packages(argv[1])) {
        return libexec_run("pes-package", argv);
    }
    if (strcmp(argv[1], "check") != 0) {
        return command_usage("provider", "there is no command '%s'", argv[1]);
    }
    if (argc < 3) {
        return command_usage("provider", "name the module to check");
    }
    return libexec_run("pes-provider-check", argv + 1);
}

static const char help_text[] =
    "Usage: pes provider check MODULE [ARGUMENT]...\n"
    "       pes provider build|sign|verify|install|remove|list [ARGUMENT]...\n"
    "\n"
    "check runs the conformance suite on a provider module (a shared object) and prints\n"
    "a JSON certificate. The others make signed packages and install them. All arguments\n"
    "are passed on: 'pes provider check MODULE --help', 'pes provider build --help'.\n"
    "\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: that of the suite; 0 done, 1 a package is refused, 2 it cannot be\n"
    "done. 64 wrong use.\n";

const struct command command_provider = {
    .name = "provider",
    .summary = "check a provider module; make and install packages",
    .help = help_text,
    .run = run,
};

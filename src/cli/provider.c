/*
 * pes provider check: run the conformance suite on a module.
 *
 * The suite is a program of its own beside the service's, since it loads foreign code and this one
 * never does.
 */
#include <string.h>

#include "cli/command.h"
#include "cli/libexec.h"

static int run(int argc, char **argv)
{
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
    return libexec_run("pes-provider-check", argv + 1);
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

/*
 * pes help: what there is.
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/outcome.h"

static int run(int argc, char **argv)
{
    const struct command *command;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return command_print_help(&command_help);
    }
    if (argc > 2) {
        return command_usage("help", "'%s' is more than it takes", argv[2]);
    }
    if (argc < 2) {
        return command_print_help(&command_help);
    }
    command = command_find(argv[1]);
    if (!command) {
        return command_usage(NULL, "there is no command '%s'", argv[1]);
    }
    return command_print_help(command);
}

static const char help_text[] =
    "Usage: pes COMMAND [OPTION]...\n"
    "\n"
    "Asks every provider on this machine about content before you trust it.\n"
    "\n"
    "Commands:\n"
    "  scan         ask about files, standard input, or lines\n"
    "  status       is the service there, and in which state\n"
    "  providers    who answers questions, and how they do\n"
    "  kinds        what can be asked about\n"
    "  report       who made whom wait, who found what\n"
    "  off          stop nothing for a while\n"
    "  on           end that\n"
    "  version      versions of this program and of the service\n"
    "  provider     check a provider module\n"
    "  definitions  make, check, update and roll back definitions\n"
    "  help         this text, or that of a command\n"
    "\n"
    "'pes help COMMAND' or 'pes COMMAND --help' says more about one.\n";

const struct command command_help = {
    .name = "help",
    .summary = "this text, or that of a command",
    .help = help_text,
    .run = run,
};

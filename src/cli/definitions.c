/*
 * pes definitions: make, check, update and roll back what a provider reads.
 *
 * Each type of definitions has a program of its own (pes-definitions-TYPE), which parses what
 * strangers publish; this one only finds it.
 */
#include <stdbool.h>
#include <string.h>

#include "cli/command.h"
#include "cli/libexec.h"

/*
 * Takes `--type NAME` or `--type=NAME` out of the arguments, wherever it stands before "--".
 * Returns the name, or NULL.
 */
static const char *type_take(int *argc, char **argv)
{
    for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        int n = strncmp(argv[i], "--type=", 7) == 0                     ? 1
                : strcmp(argv[i], "--type") == 0 && argv[i + 1] != NULL ? 2
                                                                        : 0;
        const char *type = n == 1 ? argv[i] + 7 : argv[i + 1];

        if (n > 0) {
            memmove(&argv[i], &argv[i + n], (size_t)(*argc - i - n + 1) * sizeof(*argv));
            *argc -= n;
            return type;
        }
    }
    return NULL;
}

/* What is kept in versions is the same for every type. */
static bool is_about_versions(const char *verb)
{
    return strcmp(verb, "update") == 0 || strcmp(verb, "rollback") == 0 ||
           strcmp(verb, "status") == 0;
}

static int run(int argc, char **argv)
{
    const char *type = type_take(&argc, argv);

    if (argc >= 2 && !type && is_about_versions(argv[1])) {
        return libexec_run("pes-definitions", argv);
    }
    if (argc >= 2 && !type && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return command_print_help(&command_definitions);
    }
    if (argc < 2) {
        return command_usage("definitions",
                             "say what to do: 'update', 'rollback', 'status', 'build' or 'check'");
    }
    if (strcmp(argv[1], "build") != 0 && strcmp(argv[1], "check") != 0) {
        return command_usage("definitions", "there is no command '%s'", argv[1]);
    }
    if (argc >= 3 && !type && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        return command_print_help(&command_definitions);
    }
    if (!type) {
        return command_usage("definitions", "say of which type: '--type hashlist'");
    }
    if (strcmp(type, "hashlist") != 0) {
        return command_usage("definitions", "there is no type '%s'", type);
    }
    /* "definitions" gives its place to the program's name, the verb stays behind it. */
    return libexec_run("pes-definitions-hashlist", argv);
}

static const char help_text[] =
    "Usage: pes definitions build --type hashlist --output FILE [OPTION | INPUT]...\n"
    "       pes definitions check --type hashlist FILE...\n"
    "       pes definitions update NAME [--from PATH] [--force] [--accept]\n"
    "       pes definitions rollback NAME [--accept]\n"
    "       pes definitions status [NAME] [--json] [--stale-after DAYS]\n"
    "\n"
    "Makes what a provider reads from what others publish, or checks it in full.\n"
    "'pes definitions build --type hashlist --help' lists the options.\n"
    "\n"
    "Or keeps versions of it: 'update' has the service try what was fetched for the\n"
    "provider NAME, and takes it or leaves it; 'rollback' goes back to the version\n"
    "before; 'status' tells how old each is. 'pes definitions update --help' lists\n"
    "the options.\n"
    "\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 all was accepted; 1 made, but some lines were refused, or the\n"
    "service did not take it; 2 it could not be done; 3 nothing usable, nothing was\n"
    "written. 64 wrong use.\n";

const struct command command_definitions = {
    .name = "definitions",
    .summary = "make, check, update and roll back definitions",
    .help = help_text,
    .run = run,
};

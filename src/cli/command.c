/*
 * What all commands share: the table of them, --help, --json and wrong use.
 *
 * Wrong use is one line that names the word that was wrong and where to read on; status 64. Output
 * that could not be written is an error, too: a full disk must not look like "nothing found".
 */
#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/outcome.h"

const struct command *const commands[] = {
    &command_scan,     &command_status,      &command_providers, &command_kinds,
    &command_report,   &command_off,         &command_on,        &command_version,
    &command_provider, &command_definitions, &command_help,      NULL,
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0) {
            return *c;
        }
    }
    return NULL;
}

int command_print_help(const struct command *command)
{
    fputs(command->help, stdout);
    return command_finish(EXIT_CLEAN);
}

int command_usage(const char *command, const char *format, ...)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(freep) char *safe = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        text = NULL;
    }
    safe = text ? human_text_dup(text) : NULL;
    fprintf(stderr, "pes%s%s: %s; see 'pes%s%s --help'\n", command ? " " : "",
            command ? command : "", safe ? safe : "wrong use", command ? " " : "",
            command ? command : "");
    return EXIT_USAGE;
}

int command_bad_option(const char *command, int option, char *const *argv)
{
    /* For a long option getopt has moved on; for a short one it stands at the word or behind it. */
    if (option == ':') {
        if (optopt > 0 && optopt < 256 && strncmp(argv[optind - 1], "--", 2) != 0) {
            return command_usage(command, "option '-%c' needs a value", optopt);
        }
        return command_usage(command, "option '%s' needs a value", argv[optind - 1]);
    }
    if (optopt > 0 && optopt < 256) {
        if (strncmp(argv[optind - 1], "--", 2) == 0) {
            return command_usage(command, "option '%s' takes no value", argv[optind - 1]);
        }
        return command_usage(command, "there is no option '-%c'", optopt);
    }
    if (strchr(argv[optind - 1], '=') && optopt != 0) {
        return command_usage(command, "option '%s' takes no value", argv[optind - 1]);
    }
    return command_usage(command, "there is no option '%s'", argv[optind - 1]);
}

int command_parse_output(const struct command *command, int argc, char **argv,
                         struct command_output *ret_output)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *ret_output = (struct command_output){.is_json = 0};
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
        switch (option) {
        case 'j':
            ret_output->is_json = 1;
            break;
        case 'h':
            return command_print_help(command);
        default:
            return command_bad_option(command->name, option, argv);
        }
    }
    if (optind < argc) {
        return command_usage(command->name, "'%s' is more than it takes", argv[optind]);
    }
    return COMMAND_GO;
}

int command_finish(int status)
{
    int failed = fflush(stdout) != 0;
    int error = errno;

    if (failed || ferror(stdout)) {
        fprintf(stderr, "pes: the output could not be written: %s\n",
                failed ? strerror(error) : "part of it was lost");
        return EXIT_NOT_ASKED;
    }
    return status;
}

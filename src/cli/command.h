/* The commands of `pes`, and how each tells of wrong use. */
#pragma once

#include <stddef.h>

struct command {
    const char *name;
    const char *summary;
    const char *help; /* what --help prints */
    /* @argv[0] is the command's name. Return: exit status. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_scan;
extern const struct command command_status;
extern const struct command command_providers;
extern const struct command command_kinds;
extern const struct command command_report;
extern const struct command command_version;
extern const struct command command_provider;
extern const struct command command_definitions;
extern const struct command command_off;
extern const struct command command_on;
extern const struct command command_help;

/* All of them, ended by NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);

/* Prints the command's help to stdout. Return: exit status. */
int command_print_help(const struct command *command);

/* Prints "pes COMMAND: ..." and where help is, in one line on stderr. Return: EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int command_usage(const char *command, const char *format,
                                                        ...);

/* Says what getopt_long() did not like. @option: what it returned. Return: EXIT_USAGE. */
int command_bad_option(const char *command, int option, char *const *argv);

struct command_output {
    int is_json;
};

enum command_parse {
    COMMAND_GO = -1, /* else an exit status */
};

/* For commands that take --json, --help and nothing else. Return: COMMAND_GO or an exit status. */
int command_parse_output(const struct command *command, int argc, char **argv,
                         struct command_output *ret_output);

/* Flushes stdout. Return: @status, or EXIT_NOT_ASKED with a line on stderr when output was lost. */
int command_finish(int status);

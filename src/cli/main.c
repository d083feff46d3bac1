/*
 * pes: the command line of the service.
 *
 * Finds the command and runs it. Everything goes through the public client API; this program can do
 * nothing that another one could not. Data goes to stdout, talk to stderr.
 */
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/outcome.h"

/*
 * Started without one of the first three descriptors, the next file or socket would take its place,
 * and be read as standard input. What stands in for it fails when it is used, which is told.
 */
static void occupy_standard_descriptors(void)
{
    static const int useless[] = {
        [STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};

    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)!open("/dev/null", useless[fd]); /* takes the lowest that is free: this one */
        }
    }
}

int main(int argc, char **argv)
{
    const struct command *command;

    occupy_standard_descriptors();
    /* Only for what characters are: numbers in JSON keep their point. */
    setlocale(LC_CTYPE, "");
    if (argc < 2) {
        fputs(command_help.help, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return command_print_help(&command_help);
    }
    if (strcmp(argv[1], "--version") == 0) {
        command = &command_version;
    } else {
        command = command_find(argv[1]);
    }
    if (!command) {
        return command_usage(NULL, "there is no command '%s'", argv[1]);
    }
    opterr = 0;
    return command->run(argc - 1, argv + 1);
}

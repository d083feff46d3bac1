/*
 * pes report: who made whom wait, who found what, what enforcing would have done.
 *
 * Counts since the service started. An ordinary user sees all providers and own applications.
 */
#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#include <pes/pes.h>

#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/service.h"

static int run(int argc, char **argv)
{
    CLEANUP(service_freep) struct pes_service *service = NULL;
    struct command_output output;
    int r = command_parse_output(&command_report, argc, argv, &output);

    if (r != COMMAND_GO) {
        return r;
    }
    if (service_get(&service, 1) < 0) {
        return EXIT_NOT_ASKED;
    }
    r = output.is_json ? report_print_json(service) : report_print_text(service);
    if (r < 0) {
        fprintf(stderr, "pes: %s\n", strerror(-r));
        return EXIT_NOT_ASKED;
    }
    return command_finish(EXIT_CLEAN);
}

static const char help_text[] =
    "Usage: pes report [--json]\n"
    "\n"
    "Tells who made whom wait since the service started, what each provider found, what\n"
    "its workers died of, and what enforcing would have blocked.\n"
    "\n"
    "  share                each moment of waiting, split equally among those who had not\n"
    "                       answered yet; the shares and the broker's add up to the whole\n"
    "  removing it alone    what would have been saved without this provider; two slow ones\n"
    "                       hide each other, so these do not add up\n"
    "  p50/p95/p99 (n)      half, 95 % and 99 % of n answers were faster; '-': too few to say\n"
    "  found / only it      questions in which it found something / and nobody else did\n"
    "\n"
    "      --json           one JSON object on stdout\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0, or 2 when the service does not answer. 64 wrong use.\n";

const struct command command_report = {
    .name = "report",
    .summary = "who made whom wait, who found what",
    .help = help_text,
    .run = run,
};

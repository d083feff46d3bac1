/*
 * pes version: versions of this program and of the service, if it is there.
 *
 * A service that does not answer is no failure here: the question was which version this is.
 */
#include <stdio.h>

#include <pes/pes.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/outcome.h"
#include "cli/service.h"

#define SERVICE_TIMEOUT_MS 1000

static int query(struct pes_service **ret_service)
{
    struct pes_ctx *ctx = pes_open("pes", PES_VERSION, 0);
    int r = pes_service_query(ctx, SERVICE_TIMEOUT_MS, ret_service);

    pes_close(ctx);
    return r;
}

static int run(int argc, char **argv)
{
    CLEANUP(service_freep) struct pes_service *service = NULL;
    struct pes_service_info info = {.size_bytes = sizeof(info)};
    struct command_output output;
    int error;
    int r = command_parse_output(&command_version, argc, argv, &output);

    if (r != COMMAND_GO) {
        return r;
    }
    error = query(&service);
    if (error == 0) {
        pes_service_info(service, &info);
    }
    if (output.is_json) {
        r = json_print_line(json_pack("{s:s, s:i, s:o, s:o}", "version", PES_VERSION,
                                      "registry_version", PES_REGISTRY_VERSION, "service_version",
                                      json_text_or_null(error == 0 ? info.version : NULL), "error",
                                      json_text_or_null(error ? pes_error_text(error) : NULL)));
        return r < 0 ? EXIT_NOT_ASKED : command_finish(EXIT_CLEAN);
    }
    printf("pes %s, registry %d\n", PES_VERSION, PES_REGISTRY_VERSION);
    if (error == 0) {
        printf("service %s\n", info.version);
    } else {
        printf("service: %s\n", pes_error_text(error));
    }
    return command_finish(EXIT_CLEAN);
}

static const char help_text[] =
    "Usage: pes version [--json]\n"
    "\n"
    "Prints the versions of this program and of the service, if it answers.\n"
    "\n"
    "      --json           one JSON object on stdout\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0. 64 wrong use.\n";

const struct command command_version = {
    .name = "version",
    .summary = "versions of this program and of the service",
    .help = help_text,
    .run = run,
};

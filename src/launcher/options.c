/*
 * The command line of pesd.
 *
 * Says on stderr what is wrong with it; reads no file and starts nothing.
 */
#include "launcher/options.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/config_value.h"
#include "wire/names.h"

const char options_help[] =
    "usage: pesd [OPTION...]\n"
    "\n"
    "Starts the service that applications ask before they trust content.\n"
    "\n"
    "  --user             run without root, for one user\n"
    "  --config DIR       folder with pes.conf and providers.d\n"
    "  --runtime DIR      folder for the sockets\n"
    "  --mode MODE        observe, warn or enforce, whatever the configuration says\n"
    "  --allow-unsigned   run provider modules that nobody has signed\n"
    "  --drop-to USER     with --user, started by root: become this user first (nobody)\n"
    "  --check-config     say what is wrong with the configuration, and exit\n"
    "  --ready-fd N       write \"ready\" to this descriptor when the service is up\n"
    "  --version          say which version this is\n"
    "  --help             say this\n"
    "\n"
    "SIGHUP reads the configuration and all definitions again, SIGTERM ends the service.\n";

enum option_id {
    OPTION_USER = 1,
    OPTION_CONFIG,
    OPTION_RUNTIME,
    OPTION_MODE,
    OPTION_UNSIGNED,
    OPTION_DROP,
    OPTION_CHECK,
    OPTION_READY,
    OPTION_VERSION,
    OPTION_HELP,
};

static const struct option table[] = {
    {"user", no_argument, NULL, OPTION_USER},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"runtime", required_argument, NULL, OPTION_RUNTIME},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"allow-unsigned", no_argument, NULL, OPTION_UNSIGNED},
    {"drop-to", required_argument, NULL, OPTION_DROP},
    {"check-config", no_argument, NULL, OPTION_CHECK},
    {"ready-fd", required_argument, NULL, OPTION_READY},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int usage(const char *text)
{
    fprintf(stderr, "pesd: %s; see pesd --help\n", text);
    return OPTIONS_E_USAGE;
}

static int take_mode(struct options *options, const char *text)
{
    uint32_t number;

    if (!name_number(&wire_mode_names, text, &number) || number == PES_MODE_NONE) {
        return usage("--mode takes observe, warn or enforce");
    }
    options->mode = (enum pes_mode)number;
    return 0;
}

/* It must be open now, or else it is the number of the next thing that we open ourselves. */
static bool is_writable(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int listens = 0;
    socklen_t n = sizeof(listens);

    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        return false;
    }
    /* One of a service manager's sockets: nobody would read there, and closing it loses clients. */
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) < 0 || listens == 0;
}

static int take_ready_fd(struct options *options, const char *text)
{
    char why[CONFIG_VALUE_TEXT_BYTES_MAX];
    uint64_t number;

    if (config_value_count(text, 3, 1023, &number, why) != 0 || !is_writable((int)number)) {
        return usage("--ready-fd takes the number of a descriptor that is open for writing, from "
                     "3 on");
    }
    options->ready_fd = (int)number;
    return 0;
}

static int take(struct options *options, int id)
{
    switch (id) {
    case OPTION_USER:
        options->is_user = true;
        return 0;
    case OPTION_CONFIG:
        options->config = optarg;
        return 0;
    case OPTION_RUNTIME:
        options->runtime = optarg;
        return 0;
    case OPTION_MODE:
        return take_mode(options, optarg);
    case OPTION_UNSIGNED:
        options->allows_unsigned = true;
        return 0;
    case OPTION_DROP:
        options->drop_to = optarg;
        return 0;
    case OPTION_CHECK:
        options->checks_config = true;
        return 0;
    case OPTION_READY:
        return take_ready_fd(options, optarg);
    case OPTION_VERSION:
        options->shows_version = true;
        return 0;
    case OPTION_HELP:
        options->shows_help = true;
        return 0;
    default:
        return OPTIONS_E_USAGE; /* getopt has said what is wrong */
    }
}

int options_parse(struct options *ret, int argc, char **argv)
{
    struct options options = {.drop_to = "nobody", .ready_fd = -1};
    int id;

    while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
        int r = take(&options, id);

        if (r != 0) {
            return r;
        }
    }
    if (optind < argc) {
        return usage("there is an argument too many");
    }
    if ((options.config && options.config[0] == '\0') ||
        (options.runtime && options.runtime[0] == '\0')) {
        return usage("the name of a folder is empty");
    }
    *ret = options;
    return 0;
}

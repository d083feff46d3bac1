/*
 * pes-definitions: keeps versions of what providers read.
 *
 * `pes definitions update|rollback|status` runs it. It copies what an updater fetched to where
 * nobody else writes, has the running service try it, and puts back what was before when that does
 * not go well. It looks into no file. docs/definitions.md tells the whole story.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "definitions/status.h"
#include "definitions/store.h"
#include "definitions/tell.h"
#include "definitions/update.h"

#define TIMEOUT_S     600
#define TIMEOUT_S_MAX 86400
#define SYSTEM_ROOT   "/var/lib/pes/definitions"

static const char help_text[] =
    "Usage: pes definitions update NAME [--from PATH] [--force] [--accept]\n"
    "       pes definitions rollback NAME [--accept]\n"
    "       pes definitions status [NAME] [--json] [--stale-after DAYS]\n"
    "\n"
    "Keeps versions of what a provider reads. 'update' takes what was fetched, has the\n"
    "service try it, and puts the version before in place again if that fails;\n"
    "'rollback' goes back to the version before; 'status' tells how old each is.\n"
    "\n"
    "      --from PATH         a folder or file; default: the folder 'staging'\n"
    "      --force             take even what was rolled back\n"
    "      --accept            it may find less than what serves\n"
    "      --timeout SECONDS   longest wait for the service; default 600\n"
    "      --stale-after DAYS  older than that is stale; default: as updates.d/NAME.conf\n"
    "                          says, else 7\n"
    "      --config FOLDER     with updates.d in it; default: " PES_CONFIG_FOLDER " for root,\n"
    "                          else $XDG_CONFIG_HOME/pes\n"
    "      --brief             only what needs attention, in a line\n"
    "      --store FOLDER      default: /var/lib/pes/definitions for root, else\n"
    "                          $XDG_DATA_HOME/pes/definitions\n"
    "      --json              one JSON object on stdout\n"
    "  -h, --help              this text\n"
    "\n"
    "Exit status: 0 done, or nothing new; 1 tried and not taken (status: something is\n"
    "stale, or was not taken); 2 nothing could be done. 64 wrong use.\n";

struct arguments {
    const char *verb;
    struct update_options update;
    struct status_options status;
    char root[PATH_MAX];
    char config[PATH_MAX];
};

enum {
    OPTION_FROM = 256,
    OPTION_FORCE,
    OPTION_ACCEPT,
    OPTION_TIMEOUT,
    OPTION_STALE,
    OPTION_CONFIG,
    OPTION_BRIEF,
    OPTION_STORE,
    OPTION_JSON
};

static const struct option options[] = {
    {"from", required_argument, NULL, OPTION_FROM},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"accept", no_argument, NULL, OPTION_ACCEPT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"stale-after", required_argument, NULL, OPTION_STALE},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"brief", no_argument, NULL, OPTION_BRIEF},
    {"store", required_argument, NULL, OPTION_STORE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage(const char *what, const char *word)
{
    tell("definitions: %s%s%s%s; see 'pes definitions --help'", what, word ? " '" : "",
         word ? word : "", word ? "'" : "");
    return EXIT_USAGE;
}

static bool take_number(const char *text, uint64_t max, uint64_t *ret)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value == 0 || value > max) {
        return false;
    }
    *ret = value;
    return true;
}

static int take_option(struct arguments *arguments, int option, char **argv)
{
    switch (option) {
    case OPTION_FROM:
        arguments->update.from = optarg;
        return EXIT_DONE;
    case OPTION_FORCE:
        arguments->update.is_forced = true;
        return EXIT_DONE;
    case OPTION_ACCEPT:
        arguments->update.accepts_less = true;
        return EXIT_DONE;
    case OPTION_TIMEOUT:
        return take_number(optarg, TIMEOUT_S_MAX, &arguments->update.timeout_s)
                   ? EXIT_DONE
                   : usage("--timeout goes from 1 to 86400 seconds", NULL);
    case OPTION_STALE:
        if (!take_number(optarg, 3650, &arguments->status.stale_after_s)) {
            return usage("--stale-after goes from 1 to 3650 days", NULL);
        }
        arguments->status.stale_after_s *= 86400;
        return EXIT_DONE;
    case OPTION_CONFIG:
        snprintf(arguments->config, sizeof(arguments->config), "%s", optarg);
        return EXIT_DONE;
    case OPTION_BRIEF:
        arguments->status.is_brief = true;
        return EXIT_DONE;
    case OPTION_STORE:
        snprintf(arguments->root, sizeof(arguments->root), "%s", optarg);
        return EXIT_DONE;
    case OPTION_JSON:
        arguments->status.is_json = true;
        return EXIT_DONE;
    case 'h':
        fputs(help_text, stdout);
        exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED);
    default:
        return usage("this is no option, or lacks its value:", argv[optind - 1]);
    }
}

/* Where the store is when nobody says. */
static int find_root(struct arguments *arguments)
{
    const char *data = secure_getenv("XDG_DATA_HOME");
    const char *home = secure_getenv("HOME");

    if (geteuid() == 0) {
        snprintf(arguments->root, sizeof(arguments->root), SYSTEM_ROOT);
    } else if (data && data[0] == '/') {
        snprintf(arguments->root, sizeof(arguments->root), "%s/pes/definitions", data);
    } else if (home && home[0] == '/') {
        snprintf(arguments->root, sizeof(arguments->root), "%s/.local/share/pes/definitions", home);
    } else {
        tell("where to keep definitions is not known: HOME is not set; give --store");
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* Whose definitions they are, that one's configuration. */
static void find_config(struct arguments *arguments)
{
    const char *base = secure_getenv("XDG_CONFIG_HOME");
    const char *home = secure_getenv("HOME");

    if (geteuid() == 0 || strcmp(arguments->root, SYSTEM_ROOT) == 0) {
        snprintf(arguments->config, sizeof(arguments->config), PES_CONFIG_FOLDER);
    } else if (base && base[0] == '/') {
        snprintf(arguments->config, sizeof(arguments->config), "%s/pes", base);
    } else if (home && home[0] == '/') {
        snprintf(arguments->config, sizeof(arguments->config), "%s/.config/pes", home);
    }
}

static int parse(struct arguments *arguments, int argc, char **argv)
{
    int option;
    int r = EXIT_DONE;

    opterr = 0;
    while (r == EXIT_DONE && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        r = take_option(arguments, option, argv);
    }
    if (r != EXIT_DONE) {
        return r;
    }
    if (optind == argc) {
        return usage("say what to do: 'update', 'rollback' or 'status'", NULL);
    }
    arguments->verb = argv[optind++];
    if (optind < argc) {
        arguments->update.name = arguments->status.name = argv[optind++];
    }
    if (optind < argc) {
        return usage("there is no place for", argv[optind]);
    }
    if (arguments->update.name && !store_name_is_good(arguments->update.name)) {
        return usage("this is no name of a provider:", arguments->update.name);
    }
    if (strcmp(arguments->verb, "status") != 0 && !arguments->update.name) {
        return usage("say for which provider", NULL);
    }
    r = arguments->root[0] == '\0' ? find_root(arguments) : EXIT_DONE;
    if (arguments->config[0] == '\0') {
        find_config(arguments);
    }
    return r;
}

int main(int argc, char **argv)
{
    static struct arguments arguments = {.update.timeout_s = TIMEOUT_S};
    int r = parse(&arguments, argc, argv);

    if (r != EXIT_DONE) {
        return r;
    }
    arguments.status.config = arguments.config;
    arguments.update.root = arguments.status.root = arguments.root;
    if (strcmp(arguments.verb, "update") == 0) {
        return update_run(&arguments.update);
    }
    if (strcmp(arguments.verb, "rollback") == 0) {
        return rollback_run(&arguments.update);
    }
    if (strcmp(arguments.verb, "status") == 0) {
        return status_run(&arguments.status);
    }
    return usage("there is no command", arguments.verb);
}

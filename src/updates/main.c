/*
 * pes-fetch: brings one provider's definitions into its staging folder.
 *
 * Run by pes-update@.service, as a user to whom that folder belongs and nothing else. It speaks
 * with the network, so it decides nothing: what it brings is tried by `pes definitions update`,
 * which is another program with other rights. docs/definitions.md tells the whole story.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "definitions/store.h"
#include "definitions/tell.h"
#include "definitions/update_config.h"
#include "sys/clock.h"
#include "updates/download.h"
#include "updates/freshclam.h"
#include "updates/mirror.h"
#include "updates/staging.h"

#define SYSTEM_STORE "/var/lib/pes/definitions"

enum exit_status {
    EXIT_FETCHED = 0, /* or nothing is new */
    EXIT_FAILED = 1,  /* what was there stays */
    EXIT_CONFIG = 2,
    EXIT_USAGE = 64,
};

static const char help_text[] =
    "Usage: pes-fetch [--config FOLDER] [--store FOLDER] NAME\n"
    "\n"
    "Fetches definitions for the provider NAME, from where updates.d/NAME.conf says, into\n"
    "the folder 'staging' of its store. 'pes definitions update NAME' has the service try\n"
    "them then. Not for root: it runs as the user to whom that folder belongs.\n"
    "\n"
    "      --config FOLDER  with updates.d in it; default " PES_CONFIG_FOLDER "\n"
    "      --store FOLDER   default " SYSTEM_STORE "\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 staging is what the source has; 1 it is what it was; 2 the\n"
    "configuration is wrong or missing. 64 wrong use.\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"store", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage(const char *what, const char *word)
{
    tell("fetch: %s%s%s%s; see 'pes-fetch --help'", what, word ? " '" : "", word ? word : "",
         word ? "'" : "");
    return EXIT_USAGE;
}

/* Each file has what is left of the time for all. */
static int fetch_files(struct staging *staging, const struct update_config *config)
{
    uint64_t end_ms = clock_now_us() / 1000 + config->timeout_ms;
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->files.n; i++) {
        CLEANUP(freep) char *name = strdup(config->files.items[i]);
        char *source = name ? strchr(name, '=') : NULL;
        uint64_t now_ms = clock_now_us() / 1000;

        if (!source) {
            return -1; /* out of memory: the configuration was checked */
        }
        *source++ = '\0';
        if (source[0] == '/') {
            r = mirror_file(staging, config, source, name);
        } else if (strncmp(source, "file://", strlen("file://")) == 0) {
            r = mirror_file(staging, config, source + strlen("file://"), name);
        } else {
            r = download_file(staging, config, source, name, now_ms < end_ms ? end_ms - now_ms : 1);
        }
    }
    return r;
}

static int fetch(struct staging *staging, const struct update_config *config)
{
    if (config->freshclam) {
        return freshclam_run(staging, config);
    }
    if (config->folder) {
        return mirror_folder(staging, config, config->folder);
    }
    return fetch_files(staging, config);
}

static int run(const char *config_folder, const char *root, const char *name)
{
    CLEANUP(update_config_fini) struct update_config config;
    CLEANUP(staging_fini) struct staging staging = STAGING_INIT;
    size_t n_changed;
    int r = update_config_load(&config, config_folder, name);

    if (r == UPDATE_CONFIG_E_NONE) {
        tell("there is no '%s/updates.d/%s.conf': make one that says where the definitions of '%s' "
             "come from",
             config_folder, name, name);
    }
    if (r != 0) {
        return EXIT_CONFIG;
    }
    if (staging_open(&staging, root, name) < 0 || fetch(&staging, &config) < 0 ||
        staging_publish(&staging, &n_changed) < 0 || staging_stamp(&staging) < 0) {
        return EXIT_FAILED;
    }
    printf("%s: %zu of %zu files are new\n", name, n_changed, staging.n_wanted);
    return fflush(stdout) == 0 ? EXIT_FETCHED : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    const char *config = PES_CONFIG_FOLDER;
    const char *store = SYSTEM_STORE;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 's':
            store = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EXIT_FETCHED : EXIT_FAILED;
        default:
            return usage("this is no option, or lacks its value:", argv[optind - 1]);
        }
    }
    if (optind + 1 != argc) {
        return usage("name one provider", NULL);
    }
    if (!store_name_is_good(argv[optind])) {
        return usage("this is no name of a provider:", argv[optind]);
    }
    if (geteuid() == 0) {
        tell(
            "fetch: not as root: it reads what strangers send; start pes-update@%s.service, or run "
            "it as the user to whom staging belongs",
            argv[optind]);
        return EXIT_USAGE;
    }
    umask(022);
    return run(config, store, argv[optind]);
}

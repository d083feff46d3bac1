/*
 * pes-package: `pes provider build|sign|verify|install|remove|list`.
 *
 * Exit status: 0 done, 1 refused (the package is at fault), 2 it could not be done, 64 wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "package/build.h"
#include "package/manifest.h"
#include "package/store.h"
#include "package/tell.h"

static const char usage_text[] =
    "Usage: pes provider build --manifest FILE --output PACKAGE FILE...\n"
    "       pes provider sign --key SECRET-KEY PACKAGE\n"
    "       pes provider verify [OPTION]... PACKAGE\n"
    "       pes provider install [OPTION]... PACKAGE\n"
    "       pes provider remove [OPTION]... NAME\n"
    "       pes provider list [OPTION]...\n"
    "\n"
    "  --manifest FILE      what the package says of itself; the lines about files are added\n"
    "  --output PACKAGE     what to write\n"
    "  --key SECRET-KEY     a secret key of minisign without a password\n"
    "  --user               your own packages and keys instead of the system's\n"
    "  --config DIR         where keys.d, revoked and providers.d are\n"
    "  --store DIR          where installed packages are\n"
    "  --help               this text\n"
    "\n"
    "Exit status: 0 done, 1 the package is refused, 2 it could not be done, 64 wrong use.\n";

struct arguments {
    const char *manifest;
    const char *output;
    const char *key;
    const char *config;
    const char *store;
    bool is_user;
    bool wants_help;
};

struct verb {
    const char *name;
    int n_least; /* of arguments */
    int n_most;
    int (*run)(const struct arguments *arguments, char **rest, int n_rest);
};

static int usage(const char *why)
{
    tell("provider: %s; see pes provider --help", why);
    return EXIT_USAGE;
}

static int run_build(const struct arguments *arguments, char **rest, int n_rest)
{
    if (!arguments->manifest || !arguments->output) {
        return usage("build: give --manifest and --output");
    }
    return build_package(arguments->manifest, arguments->output, rest, (size_t)n_rest);
}

static int run_sign(const struct arguments *arguments, char **rest, int n_rest)
{
    (void)n_rest;
    return arguments->key ? build_signature(arguments->key, rest[0]) : usage("sign: give --key");
}

static int with_store(const struct arguments *arguments,
                      int (*run)(const struct store *store, const char *argument),
                      const char *argument)
{
    struct store store;
    int r = store_find(&store, arguments->is_user, arguments->config, arguments->store);

    if (r < 0) {
        tell("its folders cannot be found: %s", strerror(-r));
        return EXIT_NOT_DONE;
    }
    return run(&store, argument);
}

static int run_verify(const struct arguments *arguments, char **rest, int n_rest)
{
    (void)n_rest;
    return with_store(arguments, store_verify, rest[0]);
}

static int run_install(const struct arguments *arguments, char **rest, int n_rest)
{
    (void)n_rest;
    return with_store(arguments, store_install, rest[0]);
}

static int run_remove(const struct arguments *arguments, char **rest, int n_rest)
{
    (void)n_rest;
    return with_store(arguments, store_remove, rest[0]);
}

static int run_list(const struct arguments *arguments, char **rest, int n_rest)
{
    (void)rest;
    (void)n_rest;
    return with_store(arguments, store_list, NULL);
}

static const struct verb verbs[] = {
    {"build", 1, MANIFEST_FILES_MAX, run_build},
    {"sign", 1, 1, run_sign},
    {"verify", 1, 1, run_verify},
    {"install", 1, 1, run_install},
    {"remove", 1, 1, run_remove},
    {"list", 0, 0, run_list},
};

static int parse(struct arguments *ret, int argc, char **argv)
{
    static const struct option options[] = {
        {"manifest", required_argument, NULL, 'm'}, {"output", required_argument, NULL, 'o'},
        {"key", required_argument, NULL, 'k'},      {"user", no_argument, NULL, 'u'},
        {"config", required_argument, NULL, 'c'},   {"store", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'm') {
            ret->manifest = optarg;
        } else if (option == 'o') {
            ret->output = optarg;
        } else if (option == 'k') {
            ret->key = optarg;
        } else if (option == 'c') {
            ret->config = optarg;
        } else if (option == 's') {
            ret->store = optarg;
        } else if (option == 'u') {
            ret->is_user = true;
        } else if (option == 'h') {
            ret->wants_help = true;
        } else {
            return EXIT_USAGE; /* getopt has said what is wrong */
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    int n;

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        printf("%s", usage_text);
        return argc < 2 ? EXIT_USAGE : 0;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0) {
            continue;
        }
        if (parse(&arguments, argc - 1, argv + 1) != 0) {
            return EXIT_USAGE;
        }
        if (arguments.wants_help) {
            printf("%s", usage_text);
            return 0;
        }
        n = argc - 1 - optind;
        if (n < verbs[i].n_least || n > verbs[i].n_most) {
            return usage("wrong number of arguments");
        }
        return verbs[i].run(&arguments, argv + 1 + optind, n);
    }
    return usage("there is no such command");
}

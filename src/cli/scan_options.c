/*
 * The options of `pes scan`.
 *
 * A value that makes no sense is refused by name with what would; nothing is guessed, and nothing
 * is asked before all options are understood.
 */
#include "cli/scan_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/enums.h>
#include <pes/names.h>

#include "cli/command.h"

#define TIMEOUT_MS_MAX (3600u * 1000u)
#define TEXT_BYTES_MAX 4096
#define APP_BYTES_MAX  64

static char *const standard_input[] = {(char *)"-", NULL};

enum long_only {
    OPTION_KIND = 256,
    OPTION_JSON,
    OPTION_NO_CACHE,
    OPTION_LINES,
    OPTION_ORIGIN_URL,
    OPTION_REFERRER,
    OPTION_APP,
    OPTION_REASON,
    OPTION_SESSION,
    OPTION_TIMEOUT,
    OPTION_JOBS,
    OPTION_PRIVATE,
    OPTION_VERBOSE,
};

static const struct option long_options[] = {
    {"kind", required_argument, NULL, OPTION_KIND},
    {"json", no_argument, NULL, OPTION_JSON},
    {"no-cache", no_argument, NULL, OPTION_NO_CACHE},
    {"recursive", no_argument, NULL, 'r'},
    {"lines", no_argument, NULL, OPTION_LINES},
    {"null", no_argument, NULL, '0'},
    {"origin-url", required_argument, NULL, OPTION_ORIGIN_URL},
    {"referrer", required_argument, NULL, OPTION_REFERRER},
    {"app", required_argument, NULL, OPTION_APP},
    {"reason", required_argument, NULL, OPTION_REASON},
    {"session", required_argument, NULL, OPTION_SESSION},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"private", no_argument, NULL, OPTION_PRIVATE},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Return: 0, or a negative errno when @text is not a number or does not end at *ret_rest. */
static int parse_number(const char *text, unsigned long *ret_number, const char **ret_rest)
{
    char *end;

    if (!isdigit((unsigned char)text[0])) {
        return -EINVAL;
    }
    errno = 0;
    *ret_number = strtoul(text, &end, 10);
    *ret_rest = end;
    return errno ? -errno : 0;
}

static int set_kind(struct scan_options *options, const char *name)
{
    options->kind = pes_kind_number(name);
    if (options->kind == PES_KIND_NONE) {
        command_usage("scan", "there is no kind '%s' ('pes kinds' lists all)", name);
        return SCAN_OPTIONS_E_USAGE;
    }
    return 0;
}

static int set_reason(struct scan_options *options, const char *name)
{
    char list[512] = "";
    size_t n = 0;

    options->reason = pes_reason_number(name);
    if (options->reason != PES_REASON_NONE) {
        return 0;
    }
    for (size_t i = 0; pes_reason_at(i) && n < sizeof(list); i++) {
        if (pes_reason_number(pes_reason_at(i)) != PES_REASON_NONE) {
            n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
                                  pes_reason_at(i));
        }
    }
    command_usage("scan", "there is no reason '%s'; one of %s", name, list);
    return SCAN_OPTIONS_E_USAGE;
}

static int set_timeout(struct scan_options *options, const char *text)
{
    unsigned long number = 0;
    const char *rest = "";
    unsigned long unit_ms;

    if (parse_number(text, &number, &rest) < 0) {
        rest = "?";
    }
    unit_ms = strcmp(rest, "s") == 0 ? 1000 : 1;
    if ((rest[0] && strcmp(rest, "s") != 0 && strcmp(rest, "ms") != 0) || number == 0 ||
        number > TIMEOUT_MS_MAX / unit_ms) {
        command_usage("scan",
                      "'%s' is no time; write milliseconds as '800', seconds as '5s', "
                      "up to an hour",
                      text);
        return SCAN_OPTIONS_E_USAGE;
    }
    options->timeout_ms = (uint32_t)(number * unit_ms);
    return 0;
}

static int set_jobs(struct scan_options *options, const char *text)
{
    unsigned long number = 0;
    const char *rest = "";

    if (parse_number(text, &number, &rest) < 0 || rest[0] || number == 0 ||
        number > SCAN_JOBS_MAX) {
        command_usage("scan", "'%s' is no number of jobs; write 1 to %d", text, SCAN_JOBS_MAX);
        return SCAN_OPTIONS_E_USAGE;
    }
    options->n_jobs = (uint32_t)number;
    return 0;
}

static int set_text(const char **ret_text, const char *option, const char *text, size_t n_max)
{
    if (!text[0] || strlen(text) > n_max) {
        command_usage("scan", "the value of %s must have 1 to %zu bytes", option, n_max);
        return SCAN_OPTIONS_E_USAGE;
    }
    *ret_text = text;
    return 0;
}

static int set_split(struct scan_options *options, enum items_split split)
{
    if (options->split != ITEMS_WHOLE && options->split != split) {
        command_usage("scan", "--lines and -0 exclude each other");
        return SCAN_OPTIONS_E_USAGE;
    }
    options->split = split;
    return 0;
}

static int set_option(struct scan_options *options, int option, char **argv)
{
    switch (option) {
    case OPTION_KIND:
        return set_kind(options, optarg);
    case OPTION_JSON:
        options->is_json = true;
        return 0;
    case OPTION_NO_CACHE:
        options->is_uncached = true;
        return 0;
    case 'r':
        options->is_recursive = true;
        return 0;
    case OPTION_LINES:
        return set_split(options, ITEMS_LINES);
    case '0':
        return set_split(options, ITEMS_ZEROS);
    case OPTION_ORIGIN_URL:
        return set_text(&options->origin_url, "--origin-url", optarg, TEXT_BYTES_MAX);
    case OPTION_REFERRER:
        return set_text(&options->referrer, "--referrer", optarg, TEXT_BYTES_MAX);
    case OPTION_APP:
        return set_text(&options->app, "--app", optarg, APP_BYTES_MAX);
    case OPTION_REASON:
        return set_reason(options, optarg);
    case OPTION_SESSION:
        return set_text(&options->session, "--session", optarg, TEXT_BYTES_MAX);
    case OPTION_TIMEOUT:
        return set_timeout(options, optarg);
    case OPTION_JOBS:
        return set_jobs(options, optarg);
    case OPTION_PRIVATE:
        options->is_private = true;
        return 0;
    case OPTION_VERBOSE:
        options->is_verbose = true;
        return 0;
    case 'h':
        return SCAN_OPTIONS_E_HELP;
    default:
        command_bad_option("scan", option, argv);
        return SCAN_OPTIONS_E_USAGE;
    }
}

int scan_options_parse(struct scan_options *ret_options, int argc, char **argv)
{
    struct scan_options options = {
        .split = ITEMS_WHOLE,
        .reason = PES_REASON_NONE,
        .timeout_ms = SCAN_TIMEOUT_MS_DEFAULT,
        .n_jobs = SCAN_JOBS_DEFAULT,
    };
    int option;

    while ((option = getopt_long(argc, argv, ":r0h", long_options, NULL)) >= 0) {
        int r = set_option(&options, option, argv);

        if (r != 0) {
            return r;
        }
    }
    options.paths = argv + optind;
    options.n_paths = (size_t)(argc - optind);
    if (options.n_paths == 0) {
        if (options.split == ITEMS_WHOLE) {
            command_usage("scan", "name what to scan: a path, or '-' for standard input");
            return SCAN_OPTIONS_E_USAGE;
        }
        options.paths = standard_input;
        options.n_paths = 1;
    }
    *ret_options = options;
    return 0;
}

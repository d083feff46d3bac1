/*
 * The command line of pes-host, which pes-init alone writes:
 *
 * pes-host --name NAME --module-fd N --init-fd N --memory-mib N --processes N [--definitions PATH]
 *          [--option KEY=VALUE]... [--signals-open]
 *          [--scratch-fd N --scratch-folders N --scratch-mib N]
 */
#include "host/host_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

static const struct option long_options[] = {
    {"name", required_argument, NULL, 'n'},
    {"module-fd", required_argument, NULL, 'm'},
    {"init-fd", required_argument, NULL, 'i'},
    {"memory-mib", required_argument, NULL, 'b'},
    {"processes", required_argument, NULL, 'p'},
    {"definitions", required_argument, NULL, 'd'},
    {"option", required_argument, NULL, 'o'},
    {"signals-open", no_argument, NULL, 's'},
    {"trial", no_argument, NULL, 't'},
    {"scratch-fd", required_argument, NULL, 'f'},
    {"scratch-folders", required_argument, NULL, 'c'},
    {"scratch-mib", required_argument, NULL, 'x'},
    {NULL, 0, NULL, 0},
};

static int parse_number(const char *text, uint32_t *ret_number)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > INT_MAX) {
        return -EINVAL;
    }
    *ret_number = (uint32_t)value;
    return 0;
}

static int parse_one(struct host_options *options, int c, const char *value)
{
    uint32_t number;
    int r;

    switch (c) {
    case 'n':
        options->name = value;
        return 0;
    case 'd':
        options->definitions = value;
        return 0;
    case 's':
        options->is_signals_open = true;
        return 0;
    case 't':
        options->is_on_trial = true;
        return 0;
    case 'o':
        if (options->n_settings == HOST_SETTINGS_MAX) {
            return -EINVAL;
        }
        options->settings[options->n_settings++] = value;
        return 0;
    default:
        break;
    }
    if (!value) {
        return -EINVAL;
    }
    r = parse_number(value, &number);
    if (r < 0) {
        return r;
    }
    switch (c) {
    case 'm':
        options->module_fd = (int)number;
        return 0;
    case 'i':
        options->init_fd = (int)number;
        return 0;
    case 'b':
        options->memory_mib = number;
        return 0;
    case 'p':
        options->n_processes = number;
        return 0;
    case 'f':
        options->scratch_fd = (int)number;
        return 0;
    case 'c':
        options->n_scratch = number;
        return 0;
    case 'x':
        options->scratch_mib = number;
        return 0;
    default:
        return -EINVAL;
    }
}

int host_options_parse(struct host_options *ret_options, int argc, char **argv)
{
    struct host_options options = {.module_fd = -1, .init_fd = -1};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int r = parse_one(&options, c, optarg);

        if (r < 0) {
            return r;
        }
    }
    if (optind != argc || !options.name || options.module_fd < 0 || options.init_fd < 0 ||
        options.memory_mib == 0 || options.n_processes == 0) {
        return -EINVAL;
    }
    *ret_options = options;
    return 0;
}

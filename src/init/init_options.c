/*
 * pes-init --name NAME --launcher-fd N --broker-fd N --module-fd N --host PATH --slots N
 *          [--definitions PATH] [--option KEY=VALUE]... [--uid N --gid N] [--memory-mib N]
 *          [--scratch-mib N] [--min-tier N] [--trial]
 *
 * Numbers are parsed whole and within range; anything else is refused, by name.
 */
#include "init/init_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/init_channel.h"
#include "sandbox/sandbox.h"

#define MEMORY_MIB_DEFAULT 512
#define MEMORY_MIB_MAX     (1u << 20)
#define SCRATCH_MIB_MAX    (1u << 16)

enum option_id {
    OPTION_NAME = 1,
    OPTION_HOST,
    OPTION_DEFINITIONS,
    OPTION_SETTING,
    OPTION_LAUNCHER_FD,
    OPTION_BROKER_FD,
    OPTION_MODULE_FD,
    OPTION_SLOTS,
    OPTION_MEMORY_MIB,
    OPTION_SCRATCH_MIB,
    OPTION_MIN_TIER,
    OPTION_UID,
    OPTION_GID,
    OPTION_TRIAL,
};

static const struct option long_options[] = {
    {"name", required_argument, NULL, OPTION_NAME},
    {"host", required_argument, NULL, OPTION_HOST},
    {"definitions", required_argument, NULL, OPTION_DEFINITIONS},
    {"option", required_argument, NULL, OPTION_SETTING},
    {"launcher-fd", required_argument, NULL, OPTION_LAUNCHER_FD},
    {"broker-fd", required_argument, NULL, OPTION_BROKER_FD},
    {"module-fd", required_argument, NULL, OPTION_MODULE_FD},
    {"slots", required_argument, NULL, OPTION_SLOTS},
    {"memory-mib", required_argument, NULL, OPTION_MEMORY_MIB},
    {"scratch-mib", required_argument, NULL, OPTION_SCRATCH_MIB},
    {"min-tier", required_argument, NULL, OPTION_MIN_TIER},
    {"uid", required_argument, NULL, OPTION_UID},
    {"gid", required_argument, NULL, OPTION_GID},
    {"trial", no_argument, NULL, OPTION_TRIAL},
    {NULL, 0, NULL, 0},
};

static int parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *ret_number)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || strchr(text, '-') || value < min ||
        value > max) {
        return -EINVAL;
    }
    *ret_number = (uint32_t)value;
    return 0;
}

static int parse_fd(const char *text, int *ret_fd)
{
    uint32_t number;
    int r = parse_number(text, 3, INT_MAX, &number);

    if (r == 0) {
        *ret_fd = (int)number;
    }
    return r;
}

static int parse_one(struct init_options *options, int id, const char *value)
{
    switch (id) {
    case OPTION_NAME:
        options->name = value;
        return 0;
    case OPTION_HOST:
        options->host_path = value;
        return 0;
    case OPTION_DEFINITIONS:
        options->definitions = value;
        return 0;
    case OPTION_SETTING:
        if (options->n_settings == INIT_SETTINGS_MAX || !strchr(value, '=')) {
            return -EINVAL;
        }
        options->settings[options->n_settings++] = value;
        return 0;
    case OPTION_LAUNCHER_FD:
        return parse_fd(value, &options->launcher_fd);
    case OPTION_BROKER_FD:
        return parse_fd(value, &options->broker_fd);
    case OPTION_MODULE_FD:
        return parse_fd(value, &options->module_fd);
    case OPTION_SLOTS:
        return parse_number(value, 1, INIT_SLOTS_MAX, &options->n_slots);
    case OPTION_MEMORY_MIB:
        return parse_number(value, 1, MEMORY_MIB_MAX, &options->memory_mib);
    case OPTION_SCRATCH_MIB:
        return parse_number(value, 1, SCRATCH_MIB_MAX, &options->scratch_mib);
    case OPTION_MIN_TIER:
        return parse_number(value, 0, SANDBOX_TIER_MAX, &options->min_tier);
    case OPTION_UID:
        options->has_uid = true;
        return parse_number(value, 1, UINT32_MAX - 1, &options->uid);
    case OPTION_GID:
        return parse_number(value, 1, UINT32_MAX - 1, &options->gid);
    case OPTION_TRIAL:
        options->is_on_trial = true;
        return 0;
    default:
        return -EINVAL;
    }
}

static const char *missing(const struct init_options *options)
{
    if (!options->name) {
        return "--name";
    }
    if (!options->host_path) {
        return "--host";
    }
    if (options->launcher_fd < 0) {
        return "--launcher-fd";
    }
    if (options->broker_fd < 0) {
        return "--broker-fd";
    }
    if (options->module_fd < 0) {
        return "--module-fd";
    }
    if (options->n_slots == 0) {
        return "--slots";
    }
    return options->has_uid != (options->gid != 0) ? "--uid and --gid, both" : NULL;
}

int init_options_parse(struct init_options *ret_options, int argc, char **argv,
                       const char **ret_fault)
{
    struct init_options options = {
        .host_fd = -1,
        .launcher_fd = -1,
        .broker_fd = -1,
        .module_fd = -1,
        .memory_mib = MEMORY_MIB_DEFAULT,
    };
    int c;

    opterr = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (parse_one(&options, c, optarg) < 0) {
            *ret_fault = argv[optind - 1];
            return -EINVAL;
        }
    }
    if (optind != argc) {
        *ret_fault = argv[optind];
        return -EINVAL;
    }
    *ret_fault = missing(&options);
    if (*ret_fault) {
        return -EINVAL;
    }
    *ret_options = options;
    return 0;
}

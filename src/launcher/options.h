/* The command line of pesd. */
#pragma once

#include <stdbool.h>

#include <pes/enums.h>

#include "base/cleanup.h"

struct options {
    bool is_user;
    bool checks_config;
    bool allows_unsigned;
    bool shows_help;
    bool shows_version;
    const char *config;  /* NULL: the usual place */
    const char *runtime; /* NULL: the usual place */
    const char *drop_to;
    enum pes_mode mode; /* none: as configured */
    int ready_fd;       /* -1: none */
};

enum options_outcome {
    OPTIONS_E_USAGE = 1, /* and it was said on standard error */
};

MUST_CHECK int options_parse(struct options *ret, int argc, char **argv);

extern const char options_help[];

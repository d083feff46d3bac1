/* What came of a check, for programs and for people. */
#pragma once

#include <stdio.h>

#include "provider-check/checks.h"

struct certificate {
    const char *module_path;
    const uint8_t *digest; /* SHA-256 of the module */
    const struct subject *subject;
    const struct check_report *report;
};

/* One JSON object and a newline. Returns 0 or -errno. */
MUST_CHECK int certificate_print_json(const struct certificate *certificate, FILE *out);

void certificate_print_table(const struct certificate *certificate, FILE *out);

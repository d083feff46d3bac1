/* The conformance suite: what every provider must do, whatever it looks for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider-check/subject.h"

#define CHECKS_MAX         24
#define CHECK_DETAIL_BYTES 768

struct check_result {
    const char *name; /* static */
    bool is_ok;
    bool was_run;
    bool is_unproven; /* neither passed nor failed: there was nothing to check it by */
    char detail[CHECK_DETAIL_BYTES]; /* what was seen; safe to show */
};

struct check_report {
    struct check_result results[CHECKS_MAX];
    size_t n_results;
    size_t n_failed; /* with those that were not run */
    size_t n_not_run;
    size_t n_unproven;
    size_t n_clean_findings;
};

/*
 * Starts the provider and runs every check. Returns 0 when the suite ran, whatever came of it, or
 * -errno when nothing could be started. Checks that could not run any more count as failed.
 */
MUST_CHECK int checks_run(struct subject *subject, const struct subject_options *options,
                          struct check_report *ret_report);

/*
 * One provider, run for real, for the tests of this folder: pes-init and pes-host as they are, with
 * a module. Whatever does not come as expected fails the test.
 */
#pragma once

#include <sys/types.h>

#include "driver/init_driver.h"
#include "sandbox/seccomp_filter.h"
#include "testing.h"

#define TIME_MS 60000 /* longer than anything takes, on a machine that is busy */

extern struct init_driver driver;
extern struct init_driver_event event; /* the last one that was waited for */
extern struct wire_frame frame;        /* the last answer; its texts lie in `buffer` */
extern char buffer[WIRE_RESULT_BYTES_MAX];

/* For cmocka: before and after each test. */
int provider_set_up(void **state);
int provider_tear_down(void **state);

/* Starts a provider; the last waits until it serves. `settings` ends with NULL, or is NULL. */
void start_with_scratch(const char *module, const char *const *settings, uint32_t scratch_mib);
void start(const char *module, const char *const *settings);
void start_ready(const char *module, const char *const *settings);

/* As start(), for a provider that is to have at least this tier. */
void start_in_tier(const char *module, uint32_t min_tier);

/* What the provider's processes wrote to stderr so far. */
const char *log_text(void);

void spawn(uint32_t slot, uint64_t generation);

/* Asks; returns as init_driver_scan(). */
int ask(uint32_t slot, const char *content);

/* Waits until the worker of this slot is gone: this generation, how, value. */
void expect_exit(uint32_t slot, uint64_t generation, uint32_t how, int value);

/* A process's descendants, held by pidfds: for stage 1 init, then the zygote, then workers. */
#define FAMILY_MAX 256

struct family {
    pid_t pids[FAMILY_MAX];
    int pidfds[FAMILY_MAX];
    size_t n;
};

struct family find_family(pid_t ancestor);

/* Waits until all of them are gone. */
void expect_all_gone(struct family *family);

/*
 * Has system calls fail for everything that is started from here on, as a container's runtime or an
 * older kernel would: rules with an errno fail, rules without let pass, everything else passes.
 */
void deny(const struct seccomp_rule *rules, size_t n_rules);

/*
 * Runs `what` in a child, since a filter is for good, as a group of its own: an assertion that
 * fails there must not go on with the cases of this program. What it has to say goes to stderr.
 */
void assert_child_passes(CMUnitTestFunction what);

/* With --as-nobody among the arguments: becomes nobody, or says that it cannot and exits. */
void become_who_is_asked(int argc, char **argv);

/*
 * What cmocka needs to be included before itself, in the order that it needs, and a cure for one
 * thing: cmocka 1.1 prints a skipped case as "not ok 3 # SKIP name", which every reader of TAP
 * counts as failed. Here it becomes "ok 3 - name # SKIP reason", and nobody skips without a reason.
 */
#pragma once

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Skips a whole program, for main() to return. */
static inline int skip_all(const char *why)
{
    printf("1..0 # SKIP %s\n", why);
    return 0;
}

/* Reasons of the cases that were skipped, in order. */
static const char *testing_reasons[64];
static size_t testing_n_reasons;

static inline void testing_keep_reason(const char *why)
{
    if (testing_n_reasons < sizeof(testing_reasons) / sizeof(testing_reasons[0])) {
        testing_reasons[testing_n_reasons++] = why;
    }
}

/* Skips a case. cmocka's own skip() takes no reason. */
#define skip_because(why)                                                                          \
    do {                                                                                           \
        testing_keep_reason(why);                                                                  \
        _skip(__FILE__, __LINE__);                                                                 \
    } while (0)
#undef skip

/* Copies a line of cmocka's to stdout, skipped cases as TAP has them. */
static inline void testing_copy_line(char *line, size_t *next_reason)
{
    unsigned number;
    int n_head = 0;

    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "not ok %u # SKIP %n", &number, &n_head) == 1 && n_head > 0) {
        const char *why = *next_reason < testing_n_reasons ? testing_reasons[*next_reason] : "";

        printf("ok %u - %s # SKIP %s\n", number, line + n_head, why);
        (*next_reason)++;
    } else {
        puts(line);
    }
}

/* cmocka tells the outcome of a group at its end; until then stdout is a file in memory. */
static inline int testing_run(const char *name, const struct CMUnitTest *tests, size_t n_tests,
                              CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
    int kept = dup(STDOUT_FILENO);
    int memory = memfd_create("tap", 0);
    char line[1024];
    size_t next_reason = testing_n_reasons;
    int n_failed;
    FILE *file;

    fflush(stdout);
    if (kept < 0 || memory < 0 || dup2(memory, STDOUT_FILENO) < 0) {
        return 1;
    }
    n_failed = _cmocka_run_group_tests(name, tests, n_tests, set_up, tear_down);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    lseek(memory, 0, SEEK_SET);
    file = fdopen(memory, "r");
    while (file && fgets(line, sizeof(line), file)) {
        testing_copy_line(line, &next_reason);
    }
    if (file) {
        fclose(file);
    }
    return n_failed;
}

#undef cmocka_run_group_tests
#define cmocka_run_group_tests(tests, set_up, tear_down)                                           \
    testing_run(#tests, tests, sizeof(tests) / sizeof((tests)[0]), set_up, tear_down)

#undef cmocka_run_group_tests_name
#define cmocka_run_group_tests_name(name, tests, set_up, tear_down)                                \
    testing_run(name, tests, sizeof(tests) / sizeof((tests)[0]), set_up, tear_down)

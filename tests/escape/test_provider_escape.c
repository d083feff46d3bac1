/*
 * The kit inside a real provider: each attempt in a worker of its own and in a zygote of its own,
 * in each tier that can be forced here. And every system call by number: what passes must be what
 * the reviewed list has.
 *
 * Runs as whoever starts it; with --as-nobody it first becomes nobody.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/signal_name.h"
#include "golden.h"
#include "kit.h"
#include "provider_run.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"
#include "testing.h"

/* A call that blocks is one that passed. */
#define BLOCKED_MS 500

static const struct seccomp_rule no_namespaces[] = {{.number = __NR_unshare, .error = EPERM}};
static const struct seccomp_rule no_landlock[] = {
    {.number = __NR_landlock_create_ruleset, .error = ENOSYS}};

static uint64_t generation;
static size_t n_escaped;
static char result[64]; /* of the last attempt: name of an errno or signal, or DONE */

static void set_result(const struct wire_bytes *text)
{
    snprintf(result, sizeof(result), "%.*s", (int)text->size, (const char *)text->data);
}

/* Leaves the worker's end in `event`. */
static void end_worker(bool is_dead)
{
    if (!is_dead) {
        assert_int_equal(init_driver_command(&driver, INIT_KILL, 0, generation), 0);
    }
    assert_int_equal(init_driver_wait_event(&driver, INIT_EXITED, 0, TIME_MS, &event), 0);
    assert_int_equal(event.head.generation, generation);
}

/* Has a new worker try it. */
static void try_in_worker(const char *text, size_t n_text, int timeout_ms)
{
    struct wire_scan scan = {.id = 7, .kind = 1, .schema_version = 1, .time_left_us = 5000000};
    int r;

    spawn(0, ++generation);
    r = init_driver_scan(&driver, 0, &scan, text, n_text, timeout_ms, buffer, &frame);
    if (r == 0) {
        assert_int_equal(frame.result.n_findings, 1);
        set_result(&frame.result.findings[0].detection);
        end_worker(false);
        return;
    }
    end_worker(r != INIT_DRIVER_E_TIMEOUT);
    snprintf(result, sizeof(result), "%s",
             r == INIT_DRIVER_E_TIMEOUT           ? "BLOCKED"
             : event.head.how != INIT_EXIT_SIGNAL ? "EXIT"
                                                  : signal_name(event.head.value));
}

/* The same in a new zygote, while it loads. */
static void try_in_zygote(const char *text)
{
    char setting[96];
    int r;

    snprintf(setting, sizeof(setting), "attempt=%s", text);
    start(KIT_MODULE, (const char *const[]){setting, NULL});
    r = init_driver_wait_ready(&driver, TIME_MS, &event, &frame);
    if (r == 0) {
        set_result(&frame.describe.definitions);
    } else {
        assert_int_equal(r, INIT_DRIVER_E_LOST);
        snprintf(result, sizeof(result), "%.63s",
                 strstr(event.payload, "SIGSYS")   ? "SIGSYS"
                 : strstr(event.payload, "SIGILL") ? "SIGILL"
                                                   : event.payload);
    }
    init_driver_fini(&driver);
}

static bool is_contained(void)
{
    return kit_is_refusal(result) || strcmp(result, "SIGSYS") == 0;
}

/* The table goes to stderr, where a log has it. */
static void note_result(const char *where, const struct kit_attempt *attempt, uint32_t place)
{
    bool is_granted =
        attempt->granted & (place | (sandbox_limits_address_space ? 0 : KIT_SANITIZER));
    bool has_escaped = !is_contained() && !is_granted;

    fprintf(stderr, "# %s: %s: %s%s\n", where, attempt->name, result,
            has_escaped  ? ": ESCAPED"
            : is_granted ? " (by design)"
                         : "");
    n_escaped += has_escaped;
}

static void try_all_in_workers(void)
{
    const struct kit_attempt *attempt;

    start_ready(KIT_MODULE, NULL);
    for (size_t i = 0; (attempt = kit_get(i)); i++) {
        try_in_worker(attempt->name, strlen(attempt->name), TIME_MS);
        note_result("worker", attempt, KIT_WORKER);
    }
    assert_int_equal(n_escaped, 0);
}

static void try_all_in_zygotes(void)
{
    const struct kit_attempt *attempt;

    for (size_t i = 0; (attempt = kit_get(i)); i++) {
        try_in_zygote(attempt->name);
        note_result("zygote", attempt, KIT_ZYGOTE);
    }
    assert_int_equal(n_escaped, 0);
}

static void R8_nothing_gets_out_of_a_worker(void **state)
{
    try_all_in_workers();
}

static void R8_nothing_gets_out_of_a_zygote(void **state)
{
    try_all_in_zygotes();
}

static void in_workers_without_namespaces(void **state)
{
    deny(no_namespaces, 1);
    try_all_in_workers();
}

static void in_zygotes_without_namespaces(void **state)
{
    deny(no_namespaces, 1);
    try_all_in_zygotes();
}

static void in_workers_without_landlock(void **state)
{
    deny(no_landlock, 1);
    try_all_in_workers();
}

static void in_workers_without_either(void **state)
{
    deny(no_namespaces, 1);
    deny(no_landlock, 1);
    try_all_in_workers();
}

static void R8_R20_nothing_gets_out_of_a_worker_without_namespaces(void **state)
{
    assert_child_passes(in_workers_without_namespaces);
}

static void R8_R20_nothing_gets_out_of_a_zygote_without_namespaces(void **state)
{
    if (sandbox_landlock_abi() < 6) {
        skip_because("nothing but the seccomp profile keeps signals in on this kernel");
    }
    assert_child_passes(in_zygotes_without_namespaces);
}

static void R8_R20_nothing_gets_out_of_a_worker_without_landlock(void **state)
{
    assert_child_passes(in_workers_without_landlock);
}

static void R8_R20_nothing_gets_out_of_a_worker_with_seccomp_alone(void **state)
{
    assert_child_passes(in_workers_without_either);
}

/* Content beyond the inline limit is a mapping of the very memory that others are given, too. */
static void V8_V17_content_can_be_neither_changed_nor_executed(void **state)
{
    static char content[200000];

    start_ready(KIT_MODULE, NULL);
    strcpy(content, "V8-content-writable");
    try_in_worker(content, sizeof(content), TIME_MS);
    assert_string_equal(result, "EACCES");
    strcpy(content, "V17-content-executable");
    try_in_worker(content, sizeof(content), TIME_MS);
    assert_string_equal(result, "SIGSYS");
    strcpy(content, "V8-truncate-any");
    try_in_worker(content, sizeof(content), TIME_MS);
    assert_string_equal(result, "SIGSYS");
}

/* ---- by number ---- */

static size_t n_differences;

/* Whether what came of a call is what the list has for it. */
static void compare_with_golden(const struct golden *golden, int number, int pattern)
{
    switch (golden->rules[number]) {
    case GOLDEN_FORBIDDEN:
        if (golden_is_refusal(number, result)) {
            return;
        }
        break;
    case GOLDEN_CONDITIONAL:
        return;
    case GOLDEN_ALLOWED:
        if (strcmp(result, "SIGSYS") != 0) {
            return;
        }
        break;
    }
    fprintf(stderr, "# call %d, pattern %d: %s\n", number, pattern, result);
    n_differences++;
}

static void V18_what_a_worker_may_call_is_the_reviewed_list(void **state)
{
    struct golden golden, phase_1;
    char text[64];

    if (!golden_read(&golden, "worker") || !golden_read(&phase_1, "provider")) {
        skip_because("no list for this processor");
    }
    golden_intersect(&golden, &phase_1);
    start_ready(KIT_MODULE, NULL);
    for (int number = 0; number <= KIT_CALLS_MAX; number++) {
        for (int pattern = 0; pattern < KIT_PATTERNS_MAX; pattern++) {
            snprintf(text, sizeof(text), "call %d %d", number, pattern);
            try_in_worker(text, strlen(text), BLOCKED_MS);
            compare_with_golden(&golden, number, pattern);
        }
    }
    assert_int_equal(n_differences, 0);
}

/* One pattern each: a zygote per call. All patterns are asked of the profile itself elsewhere. */
static void V18_what_a_zygote_may_call_is_the_reviewed_list(void **state)
{
    struct golden golden;
    char text[64];

    if (!golden_read(&golden, "provider")) {
        skip_because("no list for this processor");
    }
    for (int number = 0; number <= KIT_CALLS_MAX; number++) {
        if (golden.rules[number] != GOLDEN_FORBIDDEN) {
            continue; /* it may end or block the zygote, which proves nothing */
        }
        snprintf(text, sizeof(text), "call %d %d", number, number % KIT_PATTERNS_MAX);
        try_in_zygote(text);
        compare_with_golden(&golden, number, number % KIT_PATTERNS_MAX);
    }
    assert_int_equal(n_differences, 0);
}

static int set_up(void **state)
{
    n_escaped = 0;
    n_differences = 0;
    return provider_set_up(state);
}

#define ESCAPE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, provider_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ESCAPE_TEST(R8_nothing_gets_out_of_a_worker),
        ESCAPE_TEST(R8_nothing_gets_out_of_a_zygote),
        ESCAPE_TEST(V8_V17_content_can_be_neither_changed_nor_executed),
        ESCAPE_TEST(R8_R20_nothing_gets_out_of_a_worker_without_namespaces),
        ESCAPE_TEST(R8_R20_nothing_gets_out_of_a_zygote_without_namespaces),
        ESCAPE_TEST(R8_R20_nothing_gets_out_of_a_worker_without_landlock),
        ESCAPE_TEST(R8_R20_nothing_gets_out_of_a_worker_with_seccomp_alone),
        ESCAPE_TEST(V18_what_a_worker_may_call_is_the_reviewed_list),
        ESCAPE_TEST(V18_what_a_zygote_may_call_is_the_reviewed_list),
    };

    become_who_is_asked(argc, argv);
    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}

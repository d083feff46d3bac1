/*
 * E11: when a step of setting up a sandbox fails, no content reaches what stands there, and the
 * step is named. The steps before a module is loaded are in tests/unit/init/test_containment.c;
 * these are those of a worker, made to fail by a module that forbids the call to all who follow.
 */
#include <string.h>

#include "provider_run.h"
#include "sandbox/sandbox.h"
#include "testing.h"

#define EXIT_CONFINE 120 /* worker.c */

static const struct step {
    const char *call;
    const char *text; /* in the log */
} steps[] = {
    {"prctl", "worker ends: dying with init"},
    {"close_range", "worker ends: closing what is not its own"},
    {"landlock_restrict_self", "worker ends: landlock"},
    {"seccomp", "worker ends: seccomp"},
};

static void expect_no_content(const struct step *step)
{
    char setting[64];
    const char *text;

    snprintf(setting, sizeof(setting), "deny=%s", step->call);
    start_ready(SABOTEUR_MODULE, (const char *const[]){setting, NULL});
    spawn(0, 1);
    if (ask(0, "secret content") != INIT_DRIVER_E_LOST) {
        fail_msg("%s: an answer came", step->call);
    }
    expect_exit(0, 1, INIT_EXIT_STATUS, EXIT_CONFINE);
    assert_int_equal(init_driver_stop(&driver, TIME_MS), 0);
    text = log_text();
    if (!strstr(text, step->text)) {
        fail_msg("%s: the log does not name the step: %s", step->call, text);
    }
    assert_null(strstr(text, "content reached"));
    init_driver_fini(&driver);
}

static void E11_no_content_reaches_a_worker_whose_sandbox_is_not_complete(void **state)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strstr(steps[i].call, "landlock") && sandbox_landlock_abi() == 0) {
            continue;
        }
        expect_no_content(&steps[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            E11_no_content_reaches_a_worker_whose_sandbox_is_not_complete, provider_set_up,
            provider_tear_down),
    };

    become_who_is_asked(argc, argv);
    return cmocka_run_group_tests_name("setup-faults", tests, NULL, NULL);
}

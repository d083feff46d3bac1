/*
 * The kit inside the profiles of pes's own processes: each attempt in a process that confines
 * itself as the broker, the identity process, the receiver and pes-init do. And every system call
 * by number, for all profiles: what passes must be what the reviewed list has.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signal_name.h"
#include "golden.h"
#include "kit.h"
#include "sandbox/sandbox.h"
#include "testing.h"

#define NOBODY 65534

#define CHILD_BROKEN 43 /* exit status: it could not confine itself */

/* A call that blocks is one that passed. */
#define BLOCKED_US  100000
#define PATIENCE_US 900000 /* for one that must not pass, on a machine that is busy */

struct place {
    const struct seccomp_profile *profile;
    uint32_t place;
    bool has_landlock;
};

static const struct place places[] = {
    {&seccomp_profile_broker, KIT_BROKER, true},
    {&seccomp_profile_identity, KIT_IDENTITY, false},
    {&seccomp_profile_receiver, KIT_RECEIVER, false},
    {&seccomp_profile_init, KIT_INIT, false},
};

static size_t n_wrong;

/* As the programs do it. Root becomes nobody, since they have a uid of their own. */
static void enter(const struct seccomp_profile *profile, bool has_landlock, useconds_t time_us)
{
    bool is_root = geteuid() == 0;
    int r = 0;

    if (is_root && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                    setresuid(NOBODY, NOBODY, NOBODY) < 0)) {
        _exit(CHILD_BROKEN);
    }
    for (int signo = 1; signo < SIGRTMIN; signo++) {
        signal(signo, SIG_DFL); /* cmocka has handlers */
    }
    ualarm(time_us, 0);
    if (sandbox_drop_capabilities() < 0 || sandbox_no_new_privs() < 0 ||
        sandbox_not_dumpable() < 0) {
        _exit(CHILD_BROKEN);
    }
    if (has_landlock) {
        r = sandbox_landlock_apply(NULL);
    }
    if (r < 0 || sandbox_seccomp_apply(profile) != 0) {
        _exit(CHILD_BROKEN);
    }
}

/* What came of it; static. */
static const char *run_in_child(const struct place *place, const char *text, useconds_t time_us)
{
    static char result[64];
    int status, fds[2];
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        const char *mine;

        /* Attempts move and cut whatever is open: the test's own output must not be. */
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
            dup2(fds[1], 3) < 0 || close_range(4, ~0u, 0) < 0) {
            _exit(CHILD_BROKEN);
        }
        enter(place->profile, place->has_landlock, time_us);
        mine = kit_run(text, strlen(text));
        _exit(write(3, mine, strlen(mine)) < 0);
    }
    assert_true(pid > 0);
    close(fds[1]);
    n = read(fds[0], result, sizeof(result) - 1);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_BROKEN);
    result[n > 0 ? n : 0] = '\0';
    if (n <= 0) {
        snprintf(result, sizeof(result), "%s",
                 WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : "EXIT");
    }
    return result;
}

static void try_all(const struct place *place)
{
    uint32_t granted = place->place | (sandbox_limits_address_space ? 0 : KIT_SANITIZER);
    const struct kit_attempt *attempt;

    for (size_t i = 0; (attempt = kit_get(i)); i++) {
        const char *result = run_in_child(place, attempt->name, PATIENCE_US);
        bool is_granted = attempt->granted & granted;
        bool has_escaped = !kit_is_refusal(result) && strcmp(result, "SIGSYS") != 0 && !is_granted;

        fprintf(stderr, "# %s: %s: %s%s\n", place->profile->name, attempt->name, result,
                has_escaped  ? ": ESCAPED"
                : is_granted ? " (by design)"
                             : "");
        n_wrong += has_escaped;
    }
    assert_int_equal(n_wrong, 0);
}

static void R8_nothing_gets_out_of_the_broker(void **state)
{
    try_all(&places[0]);
}

static void R8_nothing_gets_out_of_identity(void **state)
{
    try_all(&places[1]);
}

static void R8_nothing_gets_out_of_the_receiver(void **state)
{
    try_all(&places[2]);
}

static void R8_nothing_gets_out_of_init(void **state)
{
    try_all(&places[3]);
}

/* ---- by number ---- */

static const struct seccomp_profile *const profiles[] = {
    &seccomp_profile_broker,         &seccomp_profile_identity,
    &seccomp_profile_receiver,       &seccomp_profile_init,
    &seccomp_profile_provider,       &seccomp_profile_worker,
    &seccomp_profile_init_scratch,   &seccomp_profile_provider_scratch,
    &seccomp_profile_worker_scratch,
};

static void compare_profile(const struct seccomp_profile *profile)
{
    const struct place place = {profile, 0, false};
    struct golden golden;
    char text[64];

    if (!golden_read(&golden, profile->name)) {
        skip_because("no list for this processor");
    }
    for (int number = 0; number <= KIT_CALLS_MAX; number++) {
        for (int pattern = 0; pattern < KIT_PATTERNS_MAX; pattern++) {
            enum golden_rule rule = golden.rules[number];
            bool is_allowed = rule == GOLDEN_ALLOWED;
            const char *result;

            if (rule == GOLDEN_CONDITIONAL) {
                continue; /* test_seccomp_filter.c has the conditions */
            }
            snprintf(text, sizeof(text), "call %d %d", number, pattern);
            result = run_in_child(&place, text, is_allowed ? BLOCKED_US : PATIENCE_US);
            if (is_allowed ? strcmp(result, "SIGSYS") == 0 : !golden_is_refusal(number, result)) {
                fprintf(stderr, "# %s: %s: %s\n", profile->name, text, result);
                n_wrong++;
            }
        }
    }
}

static void V18_what_each_profile_lets_pass_is_the_reviewed_list(void **state)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        compare_profile(profiles[i]);
    }
    assert_int_equal(n_wrong, 0);
}

static int set_up(void **state)
{
    n_wrong = 0;
    return 0;
}

#define PROFILE_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(R8_nothing_gets_out_of_the_broker),
        PROFILE_TEST(R8_nothing_gets_out_of_identity),
        PROFILE_TEST(R8_nothing_gets_out_of_the_receiver),
        PROFILE_TEST(R8_nothing_gets_out_of_init),
        PROFILE_TEST(V18_what_each_profile_lets_pass_is_the_reviewed_list),
    };

    return cmocka_run_group_tests_name("profile-escape", tests, NULL, NULL);
}

/* Processes get what they were promised and nothing else, and their ends are told truly. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "launcher/child.h"
#include "testing.h"

struct world {
    sd_event *event;
    struct child *child;
    bool has_ended;
    char end[CHILD_END_BYTES];
    int out[2]; /* what the child writes */
};

static void on_child_exit(void *userdata, const siginfo_t *info)
{
    struct world *world = userdata;

    world->has_ended = true;
    child_end_text(info, world->end);
}

static int set_up(void **state)
{
    static struct world world;
    sigset_t child;

    world = (struct world){0};
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    assert_int_equal(sigprocmask(SIG_BLOCK, &child, NULL), 0);
    assert_true(sd_event_new(&world.event) >= 0);
    assert_int_equal(pipe2(world.out, O_CLOEXEC), 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    child_free(world->child);
    while (sd_event_run(world->event, 0) > 0) {
    }
    sd_event_unref(world->event);
    close(world->out[0]);
    close(world->out[1]);
    return 0;
}

/* Runs a shell line to its end; what it wrote to descriptor `out` is returned. */
static const char *run(struct world *world, const char *line, struct spawn spawn)
{
    static char text[4096];
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)line, NULL};
    const char *step = NULL;
    ssize_t n;

    spawn.program = "/bin/sh";
    spawn.argv = argv;
    world->has_ended = false;
    assert_int_equal(child_new(&world->child, world->event, &spawn, on_child_exit, world, &step),
                     0);
    while (!world->has_ended) {
        assert_true(sd_event_run(world->event, 10000000) > 0);
    }
    child_free(TAKE_PTR(world->child));
    assert_int_equal(fcntl(world->out[0], F_SETFL, O_NONBLOCK), 0);
    n = read(world->out[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void the_way_it_ended_is_told(void **state)
{
    struct world *world = *state;

    run(world, "exit 3", (struct spawn){0});
    assert_string_equal(world->end, "ended with status 3");
    run(world, "kill -SEGV $$", (struct spawn){0});
    assert_string_equal(world->end, "ended by SIGSEGV");
}

static void exactly_the_promised_descriptors_are_there(void **state)
{
    struct world *world = *state;
    int stray = open("/dev/null", O_RDONLY); /* without close-on-exec, as a library might */
    char line[128];
    char wanted[64];

    assert_true(stray > 2);
    snprintf(line, sizeof(line), "exec >&%d; cd /proc/self/fd && echo *; readlink 0",
             world->out[1]);
    snprintf(wanted, sizeof(wanted), " %d ", stray);
    assert_null(
        strstr(run(world, line, (struct spawn){.fds = {world->out[1]}, .n_fds = 1}), wanted));
    snprintf(line, sizeof(line), "exec >&%d; readlink /proc/self/fd/0", world->out[1]);
    assert_string_equal(run(world, line, (struct spawn){.fds = {world->out[1]}, .n_fds = 1}),
                        "/dev/null\n");
    close(stray);
}

/* As somebody may have left it for us; signal(2) of libc refuses. */
static void ignore_libcs_signal(bool ignored)
{
    unsigned long action[8] = {ignored ? (unsigned long)SIG_IGN : (unsigned long)SIG_DFL};

    assert_int_equal(syscall(SYS_rt_sigaction, 32, action, NULL, (size_t)NSIG / 8), 0);
}

static void signals_environment_and_session_are_fresh(void **state)
{
    struct world *world = *state;
    char line[256];
    const char *text;

    assert_int_equal(setenv("SECRET", "x", 1), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", "x", 1), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    ignore_libcs_signal(true);
    snprintf(line, sizeof(line),
             "exec >&%d; cat /proc/self/environ | tr '\\0' '\\n' | grep -E 'SECRET|NOTIFY|PATH='; "
             "grep -E '^Sig(Blk|Ign)|NoNewPrivs' /proc/self/status",
             world->out[1]);
    text = run(world, line, (struct spawn){.fds = {world->out[1]}, .n_fds = 1});
    (void)signal(SIGPIPE, SIG_DFL);
    ignore_libcs_signal(false);
    assert_string_equal(text, "SigBlk:\t0000000000000000\n"
                              "SigIgn:\t0000000000000000\n"
                              "NoNewPrivs:\t1\n");
}

static void the_user_is_changed_with_everything_that_belongs_to_it(void **state)
{
    struct world *world = *state;
    struct spawn spawn = {
        .fds = {world->out[1]},
        .n_fds = 1,
        .sets_user = true,
        .uid = 64001,
        .gid = 64002,
        .capabilities = 1ull << CAP_SYS_PTRACE,
    };
    char line[256];

    if (geteuid() != 0) {
        skip_because("only root can give capabilities away");
    }
    snprintf(line, sizeof(line),
             "exec >&%d; grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Bnd|Amb))' /proc/self/status",
             world->out[1]);
    assert_string_equal(run(world, line, spawn), "Uid:\t64001\t64001\t64001\t64001\n"
                                                 "Gid:\t64002\t64002\t64002\t64002\n"
                                                 "Groups:\t \n"
                                                 "CapInh:\t0000000000080000\n"
                                                 "CapPrm:\t0000000000080000\n"
                                                 "CapEff:\t0000000000080000\n"
                                                 "CapBnd:\t0000000000080000\n"
                                                 "CapAmb:\t0000000000080000\n");
}

static void a_program_that_is_not_there_is_told_at_once(void **state)
{
    struct world *world = *state;
    char *argv[] = {(char *)"none", NULL};
    struct spawn spawn = {.program = "/nonexistent/none", .argv = argv};
    const char *step = NULL;

    assert_int_equal(child_new(&world->child, world->event, &spawn, on_child_exit, world, &step),
                     -ENOENT);
    assert_string_equal(step, "executing it");
    assert_null(world->child);
}

static void one_that_is_given_up_is_killed_and_reaped(void **state)
{
    struct world *world = *state;
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exec sleep 1000", NULL};
    struct spawn spawn = {
        .program = "/bin/sh",
        .argv = argv,
        .fds = {world->out[1]},
        .n_fds = 1,
    };
    const char *step = NULL;
    char byte;

    assert_int_equal(child_new(&world->child, world->event, &spawn, on_child_exit, world, &step),
                     0);
    child_free(TAKE_PTR(world->child));
    assert_true(sd_event_run(world->event, 10000000) > 0);
    assert_false(world->has_ended);
    close(world->out[1]);
    world->out[1] = dup(world->out[0]);
    assert_int_equal(fcntl(world->out[0], F_SETFL, 0), 0);
    assert_int_equal(read(world->out[0], &byte, 1), 0); /* nobody holds the other end */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void set_kill_right(bool has)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    assert_int_equal(syscall(SYS_capget, &header, data), 0);
    data[0].effective &= ~(1u << CAP_KILL);
    data[0].effective |= has ? 1u << CAP_KILL : 0;
    assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void another_user_is_ended_without_the_right_to_end_everybody(void **state)
{
    struct world *world = *state;
    char *argv[] = {(char *)"sleep", (char *)"60", NULL};
    struct spawn spawn = {.program = "/bin/sleep", .argv = argv, .sets_user = true, .uid = 64001};
    const char *step = NULL;

    if (geteuid() != 0) {
        skip_because("only root can start a process of another user");
    }
    set_kill_right(false);
    assert_int_equal(child_new(&world->child, world->event, &spawn, on_child_exit, world, &step),
                     0);
    child_kill(world->child, SIGKILL);
    assert_true(sd_event_run(world->event, 10000000) > 0);
    set_kill_right(true);
    assert_true(world->has_ended);
    assert_string_equal(world->end, "ended by SIGKILL");
    assert_int_equal(geteuid(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_way_it_ended_is_told),
        CASE(exactly_the_promised_descriptors_are_there),
        CASE(signals_environment_and_session_are_fresh),
        CASE(the_user_is_changed_with_everything_that_belongs_to_it),
        CASE(a_program_that_is_not_there_is_told_at_once),
        CASE(one_that_is_given_up_is_killed_and_reaped),
        CASE(another_user_is_ended_without_the_right_to_end_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * pes-init: stage 1. Makes the namespaces that the kernel lets it have, forks the real init into
 * them (PID 1 of the new pid namespace), waits for it and passes its exit on.
 *
 * Nothing survives the launcher: stage 1 dies with it, init dies with stage 1, and the kernel kills
 * a pid namespace with its PID 1. Three things see to that, since a signal on the parent's death is
 * lost when the parent is gone before it was asked for: that signal, a pipe that only stage 1 holds
 * open, and the launcher's channel, which closes.
 *
 * Started by root it takes real namespaces and a uid of its own (--uid); otherwise a user namespace
 * that maps the own uid. What the kernel refuses is left out, and said.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/init.h"
#include "log/log.h"
#include "sandbox/sandbox.h"
#include "sys/packet.h"

#define EXIT_USAGE 64

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Closes everything that is not ours, and keeps what is from whatever is executed. */
static int sort_out_descriptors(const struct init_options *options)
{
    int fds[] = {STDERR_FILENO, options->launcher_fd, options->broker_fd, options->module_fd};
    size_t n = sizeof(fds) / sizeof(fds[0]);

    qsort(fds, n, sizeof(fds[0]), compare_ints);
    for (size_t i = 0; i < n; i++) {
        unsigned int first = (unsigned int)fds[i] + 1;
        unsigned int last = i + 1 < n ? (unsigned int)fds[i + 1] - 1 : ~0u;

        if (fds[i] != STDERR_FILENO && fcntl(fds[i], F_SETFD, FD_CLOEXEC) < 0) {
            return -errno;
        }
        if (first <= last && close_range(first, last, 0) < 0) {
            return -errno;
        }
    }
    return 0;
}

/* Tells the launcher why there is no init at all. */
static int refuse(const struct init_options *options, const char *step, int error)
{
    struct launch_event event = {.version = LAUNCH_CHANNEL_VERSION, .type = LAUNCH_FAILED};
    int n;

    n = snprintf(event.text, sizeof(event.text), "the sandbox cannot be made: %s: %s", step,
                 strerror(-error));
    event.n_text = (uint32_t)n;
    n = packet_send(options->launcher_fd, &event, sizeof(event), -1);
    return n < 0 ? 2 : 1;
}

static uint32_t leave_namespaces(const struct init_options *options)
{
    uint32_t wanted = geteuid() == 0 ? SANDBOX_NS_ALL & ~SANDBOX_NS_USER : SANDBOX_NS_ALL;
    char missing[128] = "";
    char name[LOG_SAFE_BYTES];
    uint32_t left;
    int errors[6];

    left = sandbox_namespaces_leave(wanted, errors);
    for (size_t i = 0; i < 6; i++) {
        size_t n = strlen(missing);

        if (wanted & ~left & (1u << i)) {
            snprintf(missing + n, sizeof(missing) - n, "%s%s (%s)", n > 0 ? ", " : "",
                     sandbox_namespace_name(1u << i), strerrorname_np(errors[i]));
        }
    }
    if (missing[0] != '\0') {
        log_event(LOG_WARNING, EV_SANDBOX,
                  "provider '%s' gets no namespace of these kinds: %s; continuing with the others",
                  log_safe(options->name, strlen(options->name), name), missing);
    }
    return left;
}

/* What was tried out before counts for nothing: this is what was reached. */
static int reach_tier(const struct init_options *options, uint32_t namespaces)
{
    int tier = sandbox_tier_of(namespaces);
    char step[64];

    if (tier >= (int)options->min_tier) {
        return 0;
    }
    snprintf(step, sizeof(step), "tier T%d is below min-tier %u", tier, options->min_tier);
    return refuse(options, step, -EPERM);
}

static int take_uid(const struct init_options *options)
{
    if (options->has_uid && geteuid() == 0) {
        if (setgroups(0, NULL) < 0 || setresgid(options->gid, options->gid, options->gid) < 0 ||
            setresuid(options->uid, options->uid, options->uid) < 0) {
            return -errno;
        }
    }
    return geteuid() == 0 ? -EPERM : 0;
}

/* Everything the real init gives up. `ret_step` names what failed. */
static int give_up_rights(const struct init_options *options, uint32_t namespaces,
                          const char **ret_step)
{
    int r;

    *ret_step = "taking the provider's own uid";
    r = take_uid(options);
    if (r < 0) {
        return r;
    }
    *ret_step = "dying with the parent"; /* a change of uid forgets it: only now */
    r = sandbox_die_with_parent();
    if (r < 0) {
        return r;
    }
    *ret_step = "adopting orphans";
    if (!(namespaces & SANDBOX_NS_PID) && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        return -errno;
    }
    *ret_step = "dropping capabilities";
    r = sandbox_drop_capabilities();
    if (r < 0) {
        return r;
    }
    *ret_step = "no_new_privs";
    r = sandbox_no_new_privs();
    if (r < 0) {
        return r;
    }
    *ret_step = "preventing core dumps";
    return sandbox_not_dumpable();
}

static int be_init(const struct init_options *options, uint32_t namespaces, int lifeline)
{
    struct scratch scratch;
    const char *step;
    int r;

    scratch_make(&scratch, options, namespaces);
    r = give_up_rights(options, namespaces, &step);
    if (r < 0) {
        return refuse(options, step, r);
    }
    return init_run(options, namespaces, lifeline, &scratch);
}

/* Waits for the real init and ends as it did. */
static int wait_for_init(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return 1;
        }
    }
    if (WIFSIGNALED(status)) {
        struct sigaction action = {.sa_handler = SIG_DFL};

        (void)sigaction(WTERMSIG(status), &action, NULL);
        raise(WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

static int run(struct init_options *options)
{
    uint32_t namespaces;
    int lifeline[2];
    pid_t pid;
    int r;

    r = sort_out_descriptors(options);
    if (r < 0) {
        return refuse(options, "closing what is not ours", r);
    }
    /* Held from here on: the provider's uid may be unable to reach it by name. */
    options->host_fd = open(options->host_path, O_PATH | O_CLOEXEC);
    if (options->host_fd < 0) {
        return refuse(options, "opening pes-host", -errno);
    }
    r = sandbox_die_with_parent();
    if (r < 0) {
        return refuse(options, "dying with the launcher", r);
    }
    namespaces = leave_namespaces(options);
    r = reach_tier(options, namespaces);
    if (r != 0) {
        return r;
    }
    if (pipe2(lifeline, O_CLOEXEC) < 0) {
        return refuse(options, "making a pipe", -errno);
    }
    pid = fork();
    if (pid < 0) {
        return refuse(options, "forking", -errno);
    }
    if (pid == 0) {
        close(lifeline[1]);
        return be_init(options, namespaces, lifeline[0]);
    }
    r = sandbox_drop_capabilities(); /* waiting takes none */
    if (r < 0) {
        kill(pid, SIGKILL);
        return refuse(options, "dropping capabilities", r);
    }
    /* Only the pipe stays: channels must close when init dies. */
    close(lifeline[0]);
    close(options->launcher_fd);
    close(options->broker_fd);
    close(options->module_fd);
    return wait_for_init(pid);
}

int main(int argc, char **argv)
{
    static struct init_options options;
    const char *fault;

    log_init("pes-init");
    if (init_options_parse(&options, argc, argv, &fault) < 0) {
        char text[LOG_SAFE_BYTES];

        log_event(LOG_ERR, EV_INTERNAL, "pes-init is started by pesd; wrong or missing: '%s'",
                  log_safe(fault, strlen(fault), text));
        return EXIT_USAGE;
    }
    return run(&options);
}

/*
 * pes-broker: takes questions from applications, hands them to providers, gives one answer each.
 *
 * Started by pesd with every descriptor it will ever be given a name for: the launcher's channel,
 * the listening sockets (or the receiver's channel instead) and identity's. It gives up the right
 * to open, connect, execute or signal anything before it reads its first byte. It links libc alone.
 *
 * Usage: pes-broker --launcher-fd N --identity-fd N (--client-fd N --admin-fd N | --receiver-fd N)
 *                   [--standby]
 *
 * --standby: another one serves; no client is taken before every provider is ready or has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/run.h"
#include "broker/shell.h"
#include "sandbox/sandbox.h"
#include "sys/clock.h"

static int parse_fd(const char *text)
{
    char *end;
    long fd = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || fd < 3 || fd > 65535 || fcntl((int)fd, F_GETFD) < 0) {
        return -1;
    }
    if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl((int)fd, F_SETFL, O_NONBLOCK) < 0) {
        return -1;
    }
    return (int)fd;
}

static int parse_arguments(struct shell *shell, int argc, char **argv)
{
    static const struct option options[] = {
        {"launcher-fd", required_argument, NULL, 'l'},
        {"client-fd", required_argument, NULL, 'c'},
        {"admin-fd", required_argument, NULL, 'a'},
        {"identity-fd", required_argument, NULL, 'i'},
        {"receiver-fd", required_argument, NULL, 'r'},
        {"standby", no_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int *where = option == 'l'   ? &shell->launcher_fd
                     : option == 'c' ? &shell->client_fd
                     : option == 'a' ? &shell->admin_fd
                     : option == 'i' ? &shell->identity_fd
                     : option == 'r' ? &shell->receiver_fd
                                     : NULL;

        if (option == 's') {
            shell->is_standby = true;
            continue;
        }
        if (!where) {
            return -EINVAL;
        }
        *where = parse_fd(optarg);
        if (*where < 0) {
            log_event(LOG_ERR, EV_START, "'%s' is not an open descriptor", optarg);
            return -EBADF;
        }
    }
    if (optind != argc || shell->launcher_fd < 0 || shell->identity_fd < 0 ||
        (shell->client_fd < 0) != (shell->admin_fd < 0) ||
        (shell->client_fd < 0) == (shell->receiver_fd < 0)) {
        log_event(LOG_ERR, EV_START, "pes-broker is started by pesd, with all of its descriptors");
        return -EINVAL;
    }
    return 0;
}

static int watch_all(struct shell *shell)
{
    const struct {
        int fd;
        enum token_kind kind;
    } watches[] = {
        {shell->launcher_fd, TOKEN_LAUNCHER},
        {shell->identity_fd, TOKEN_IDENTITY},
        {shell->receiver_fd, TOKEN_RECEIVER},
        {shell->large_work.event_fd, TOKEN_LARGE_WORK},
    };

    for (size_t i = 0; i < sizeof(watches) / sizeof(watches[0]); i++) {
        int r = watches[i].fd < 0 ? 0 : shell_watch(shell, watches[i].fd, watches[i].kind, 0, 0);

        if (r < 0) {
            return r;
        }
    }
    return shell->is_standby ? 0 : shell_admit(shell);
}

/* As many descriptors as we may have: each client, each worker and each content takes one. Returns
 * how many that is. */
static uint64_t raise_files(void)
{
    struct rlimit limit = {.rlim_cur = 1024};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &limit);
        (void)!getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

static int apply_landlock(void)
{
    int r = sandbox_landlock_apply(NULL);

    /* A kernel without it is let pass: seccomp forbids every call that Landlock would look at. */
    return r == SANDBOX_E_ABSENT ? 0 : r;
}

static int apply_seccomp(void)
{
    return sandbox_seccomp_apply(&seccomp_profile_broker);
}

/* What the broker gives up before it reads its first byte. */
static int confine(void)
{
    static const struct {
        const char *name;
        int (*apply)(void);
    } steps[] = {
        {"no new privileges", sandbox_no_new_privs},
        {"not dumpable", sandbox_not_dumpable},
        {"death with parent", sandbox_die_with_parent},
        {"landlock", apply_landlock},
        {"seccomp", apply_seccomp},
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int r = steps[i].apply();

        if (r != 0) {
            log_event(LOG_ERR, EV_SANDBOX, "the broker cannot confine itself (%s: %d)",
                      steps[i].name, r);
            return -EPERM;
        }
    }
    return 0;
}

static int set_up(struct shell *shell, int argc, char **argv)
{
    struct core_machine machine = {.memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) *
                                                   (uint64_t)sysconf(_SC_PAGESIZE)};
    uint64_t seed;
    int r;

    r = parse_arguments(shell, argc, argv);
    if (r < 0) {
        return r;
    }
    machine.n_files = raise_files();
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
        return -errno;
    }
    shell->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    shell->spare_fd = eventfd(0, EFD_CLOEXEC);
    if (shell->epoll_fd < 0 || shell->spare_fd < 0) {
        return -errno;
    }
    r = core_init(&shell->core, seed, &machine, clock_now_us());
    if (r < 0) {
        return r;
    }
    r = large_work_init(&shell->large_work);
    if (r < 0) {
        return r;
    }
    r = watch_all(shell);
    return r < 0 ? r : confine();
}

static void tear_down(struct shell *shell)
{
    core_fini(&shell->core);
    for (uint32_t i = 1; i < shell->n_connections; i++) {
        connection_close(shell, i);
    }
    for (uint32_t i = 1; i < shell->n_instances; i++) {
        instance_link_close(shell, i); /* the launcher's to end: the next broker goes on with it */
    }
    for (uint32_t i = 1; i < shell->n_memories; i++) {
        memory_free(shell, i);
    }
    large_work_fini(&shell->large_work);
    action_list_fini(&shell->actions);
    free(shell->connections);
    free(shell->instances);
    free(shell->memories);
    free(shell->outcomes);
}

int main(int argc, char **argv)
{
    static struct shell shell = {
        .epoll_fd = -1,
        .launcher_fd = -1,
        .client_fd = -1,
        .admin_fd = -1,
        .identity_fd = -1,
        .receiver_fd = -1,
    };
    int r;

    log_init("pes-broker");
    r = set_up(&shell, argc, argv);
    if (r < 0) {
        log_event(LOG_ERR, EV_START, "the broker does not start: %s", strerror(-r));
        return 1;
    }
    run_loop(&shell);
    r = shell.actions.is_broken ? 1 : 0;
    tear_down(&shell);
    return r;
}

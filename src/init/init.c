/*
 * The real init: PID 1 of one provider's namespaces.
 *
 * It starts the zygote, has it fork workers when the broker says so, kills by slot and generation,
 * and is the one who knows how each process died, since all of them are its own children. It loads
 * nothing foreign, parses nothing but its own fixed-size messages, and holds no right besides that
 * over its children.
 *
 * Each step looks at the zygote's messages before it reaps, so that the pid of a worker that died
 * at once is known when its exit is collected.
 *
 * It ends, and the pid namespace with it, when the launcher or stage 1 is gone, when the zygote is
 * gone, or when it is told to. Without a pid namespace it kills whatever is its child.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/safe_text.h"
#include "log/log.h"
#include "sandbox/sandbox.h"
#include "sys/clock.h"

/* Processes besides the workers: stage 1, init, the zygote, its self-test, and some room. */
#define N_OTHER_PROCESSES 8

/* A uid of the provider's own, which generations that overlap share. */
#define N_PROCESSES_OWN_UID 1024

/* The user's own uid, outside a user namespace: all of the user's threads count, so no limit can be
 * said. The system call filter is what keeps a provider from forking. */
#define N_PROCESSES_USERS_UID (1u << 20)

void init_end(struct init *init, int status)
{
    if (!init->is_ending) {
        init->is_ending = true;
        init->exit_status = status;
    }
}

void init_fail(struct init *init, const char *text)
{
    struct init_event event = {.type = INIT_FAILED};
    size_t n_text = strlen(text);

    if (init->is_ending) {
        return;
    }
    if (n_text > INIT_PAYLOAD_BYTES_MAX) {
        n_text = INIT_PAYLOAD_BYTES_MAX;
    }
    init_end(init, 1);
    broker_link_tell_all(init, &event, text, n_text);
    launcher_link_tell(init, LAUNCH_FAILED, text);
}

static void write_line(void *context, const char *line, size_t n_line)
{
    const struct init *init = context;
    char name[LOG_SAFE_BYTES];
    char text[4 * PROVIDER_LOG_LINE_MAX];

    safe_text_quoted(text, sizeof(text), line, n_line);
    log_event(LOG_NOTICE, EV_PROVIDER_LOG, "provider '%s' says '%s'",
              log_safe(init->options->name, strlen(init->options->name), name), text);
}

static int watch_children(struct init *init)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
        return -errno;
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        return -errno;
    }
    init->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return init->signals < 0 ? -errno : 0;
}

static uint32_t n_processes(const struct init *init)
{
    if (init->namespaces & SANDBOX_NS_USER) {
        return INIT_BROKERS_MAX * init->options->n_slots + N_OTHER_PROCESSES;
    }
    return init->options->has_uid ? N_PROCESSES_OWN_UID : N_PROCESSES_USERS_UID;
}

/* `ret_step` names what failed. */
static int start(struct init *init, const char **ret_step)
{
    int r;

    *ret_step = "watching its processes";
    r = watch_children(init);
    if (r < 0) {
        return r;
    }
    if (!(init->namespaces & SANDBOX_NS_PID)) {
        /* Absent without CONFIG_PROC_CHILDREN: then only what is known by name is killed. */
        init->children = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    }
    *ret_step = "starting pes-host";
    r = zygote_process_start(&init->zygote, init->options, n_processes(init),
                             init->namespaces & SANDBOX_NS_PID, &init->scratch);
    if (r < 0) {
        return r;
    }
    provider_log_init(&init->log, TAKE_FD(init->zygote.log_fd), write_line, init);
    close(init->options->module_fd); /* the zygote has it */
    if (init->scratch.n_folders > 0) {
        *ret_step = "landlock for init";
        r = scratch_confine(&init->scratch);
        if (r != 0) {
            return r < 0 ? r : -ENOSYS;
        }
    }
    *ret_step = "seccomp for init";
    r = sandbox_seccomp_apply(init->scratch.n_folders > 0 ? &seccomp_profile_init_scratch
                                                          : &seccomp_profile_init);
    return r == SANDBOX_E_ABSENT ? -ENOSYS : r;
}

static int poll_timeout_ms(const struct init *init, uint64_t now_us)
{
    uint64_t next_us = provider_log_next_us(&init->log);
    uint64_t fork_by_us = slot_table_fork_by_us(&init->slots);

    if (fork_by_us < next_us) {
        next_us = fork_by_us;
    }
    if (next_us == UINT64_MAX) {
        return -1;
    }
    return next_us <= now_us ? 0 : (int)((next_us - now_us) / 1000u + 1);
}

static struct pollfd poll_of(const struct init *init, const struct broker_seat *seat)
{
    return (struct pollfd){
        .fd = seat->channel,
        .events = broker_link_is_draining(init, seat) ? 0 : POLLIN,
    };
}

/* Waits; false when there is nobody left to work for. */
static bool wait_for_work(struct init *init)
{
    uint64_t now_us = clock_now_us();
    bool wants_log = provider_log_wants_input(&init->log, now_us);
    struct pollfd fds[] = {
        {.fd = init->lifeline, .events = POLLIN},
        {.fd = init->launcher, .events = POLLIN},
        poll_of(init, &init->seats[0]),
        poll_of(init, &init->seats[1]),
        {.fd = init->zygote.channel, .events = POLLIN},
        {.fd = init->signals, .events = POLLIN},
        {.fd = wants_log ? init->log.fd : -1, .events = POLLIN},
    };
    struct signalfd_siginfo info;

    if (poll(fds, sizeof(fds) / sizeof(fds[0]), poll_timeout_ms(init, now_us)) < 0) {
        return errno == EINTR;
    }
    while (read(init->signals, &info, sizeof(info)) > 0) {
    }
    return fds[0].revents == 0; /* nothing is ever written there: stage 1 is gone */
}

static void step(struct init *init)
{
    uint64_t now_us;

    launcher_link_step(init);
    zygote_link_step(init);
    reaper_step(init);
    broker_link_step(init);
    broker_link_announce(init);
    now_us = clock_now_us();
    provider_log_step(&init->log, now_us);
    if (slot_table_fork_by_us(&init->slots) <= now_us) {
        init_fail(init, "the zygote hangs: it does not fork any more");
    }
}

int init_run(const struct init_options *options, uint32_t namespaces, int lifeline,
             const struct scratch *scratch)
{
    static struct init init = {
        .lifeline = -1,
        .signals = -1,
        .children = -1,
        .zygote = ZYGOTE_PROCESS_INIT,
        .trial = -1,
        .log = {.fd = -1},
    };
    const char *failed_step;
    char text[128];
    int r;

    init.options = options;
    init.scratch = *scratch;
    init.namespaces = namespaces;
    init.launcher = options->launcher_fd;
    init.seats[0].channel = options->broker_fd;
    init.seats[1].channel = -1;
    init.lifeline = lifeline;
    init.slots.n_slots = (size_t)INIT_BROKERS_MAX * options->n_slots;
    r = start(&init, &failed_step);
    if (r < 0) {
        snprintf(text, sizeof(text), "the sandbox cannot be made: %s: %s", failed_step,
                 strerror(-r));
        init_fail(&init, text);
    }
    while (!init.is_ending) {
        if (!wait_for_work(&init)) {
            init_end(&init, 1);
            break;
        }
        step(&init);
    }
    reaper_kill_all(&init);
    provider_log_finish(&init.log, clock_now_us());
    return init.exit_status;
}

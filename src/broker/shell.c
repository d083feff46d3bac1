/*
 * The shell around the core.
 *
 * One epoll loop. Whatever happens is told to the core as an event; what the core wants done is
 * done here, and the outcomes of that are told to the core before anything else is read. The loop
 * never blocks but in epoll_wait.
 */
#include "broker/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/run.h"
#include "sys/clock.h"
#include "sys/packet.h"

#define EVENTS_PER_WAIT 64
#define WAIT_MS_MAX     60000u
#define RETRY_US        UINT64_C(10000)

uint32_t shell_serial(struct shell *shell)
{
    shell->last_serial = (shell->last_serial + 1) & 0xffffffu;
    return shell->last_serial;
}

int shell_watch(struct shell *shell, int fd, enum token_kind kind, uint32_t serial, uint32_t handle)
{
    struct epoll_event event = {
        .events = EPOLLIN,
        .data.u64 = (uint64_t)kind << 56 | (uint64_t)serial << 32 | handle,
    };

    return epoll_ctl(shell->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void shell_retry(struct shell *shell)
{
    if (shell->retry_us == 0) {
        shell->retry_us = clock_now_us() + RETRY_US;
    }
}

struct outcome *shell_outcome(struct shell *shell, enum event_type type)
{
    static struct outcome nowhere;
    struct outcome *outcome;

    if (shell->n_outcomes == shell->outcomes_capacity) {
        size_t capacity = shell->outcomes_capacity ? shell->outcomes_capacity * 2 : 32;
        struct outcome *outcomes = reallocarray(shell->outcomes, capacity, sizeof(*outcomes));

        if (!outcomes) {
            shell->actions.is_broken = true;
            return &nowhere;
        }
        shell->outcomes = outcomes;
        shell->outcomes_capacity = capacity;
    }
    outcome = &shell->outcomes[shell->n_outcomes++];
    *outcome = (struct outcome){.event = {.type = type}};
    return outcome;
}

/* -------------------------------------------------------------------------------------- actions */

/*
 * Whoever connects from now on waits in the sockets' backlog. A service manager that holds the
 * sockets keeps it there for our successor; to take it and hang up would cost a client one of the
 * few attempts that it makes. They are closed at once, since they may be among the events that we
 * have yet to look at. A receiver is told by half of its channel: it must live on, since its
 * relays carry the answers that are still to come.
 */
static void admit_none(struct shell *shell)
{
    int *const listeners[] = {&shell->client_fd, &shell->admin_fd};

    for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
        if (*listeners[i] >= 0) { /* else a receiver has it */
            (void)epoll_ctl(shell->epoll_fd, EPOLL_CTL_DEL, *listeners[i], NULL);
            close(TAKE_FD(*listeners[i]));
        }
    }
    if (shell->receiver_fd >= 0) {
        (void)shutdown(shell->receiver_fd, SHUT_WR);
    }
}

int shell_admit(struct shell *shell)
{
    int r = shell->client_fd < 0 ? 0 : shell_watch(shell, shell->client_fd, TOKEN_CLIENTS, 0, 0);

    if (r == 0 && shell->admin_fd >= 0) {
        r = shell_watch(shell, shell->admin_fd, TOKEN_ADMINS, 0, 0);
    }
    return r;
}

/* On standby another broker serves; from here on there is no reason any more to leave it to
 * that. */
static void end_standby(struct shell *shell)
{
    int r = shell_admit(shell);

    shell->is_standby = false;
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "clients cannot be taken in (errno %d); ending", -r);
        shell->is_over = true;
    }
}

static void perform(struct shell *shell, const struct action *action)
{
    switch (action->type) {
    case ACTION_SESSION_SEND:
        connection_send(shell, action);
        return;
    case ACTION_SESSION_CLOSE:
        connection_close(shell, action->session);
        return;
    case ACTION_IDENTIFY:
        identity_link_ask(shell, action->session);
        return;
    case ACTION_CONTENT_MAKE:
        memory_make(shell, action->content, action->n_bytes);
        return;
    case ACTION_CONTENT_CHECK:
        memory_check(shell, action->content);
        return;
    case ACTION_CONTENT_JOIN:
        memory_join(shell, action->content, action->segment);
        return;
    case ACTION_CONTENT_HASH:
        memory_hash(shell, action->content);
        return;
    case ACTION_CONTENT_FREE:
        memory_free(shell, action->content);
        return;
    case ACTION_WORKER_SPAWN:
        worker_link_spawn(shell, action);
        return;
    case ACTION_WORKER_SEND:
        worker_link_send(shell, action);
        return;
    case ACTION_WORKER_KILL:
        worker_link_kill(shell, action);
        return;
    case ACTION_WORKER_CLOSE:
        worker_link_close(shell, action);
        return;
    case ACTION_INSTANCE_STOP:
        instance_link_stop(shell, action->instance);
        return;
    case ACTION_LAUNCHER_SEND:
        if (packet_send(shell->launcher_fd, shell->actions.bytes + action->message,
                        action->n_message, -1) < 0) {
            log_event(LOG_ERR, EV_INTERNAL, "the launcher does not read; a message to it was lost");
        }
        return;
    case ACTION_LOG:
        log_event(action->priority, action->log, "%.*s", (int)action->n_message,
                  (const char *)shell->actions.bytes + action->message);
        return;
    case ACTION_EXIT:
        /* What was said in this step may have had to be kept: the core is told first, and asks
         * again when nothing is left. */
        shell->is_over = shell->first_outcome == shell->n_outcomes;
        return;
    case ACTION_ADMIT_NONE:
        admit_none(shell);
        return;
    }
}

static void step(struct shell *shell, const struct event *event)
{
    core_step(&shell->core, event, clock_now_us(), &shell->actions);
    for (size_t i = 0; i < shell->actions.n_items; i++) {
        perform(shell, &shell->actions.items[i]);
    }
    if (shell->is_standby && shell->core.said_ready) {
        end_standby(shell);
    }
}

void shell_feed(struct shell *shell, const struct event *event)
{
    step(shell, event);
    shell_feed_outcomes(shell);
}

void shell_feed_outcomes(struct shell *shell)
{
    while (shell->first_outcome < shell->n_outcomes) {
        struct outcome outcome = shell->outcomes[shell->first_outcome++];

        outcome.event.digest = outcome.digest;
        outcome.event.init = &outcome.init;
        outcome.event.identity = outcome.identity;
        step(shell, &outcome.event);
        free(outcome.identity);
    }
    shell->first_outcome = shell->n_outcomes = 0;
}

/* --------------------------------------------------------------------------------------- events */

static void read_launcher(struct shell *shell)
{
    struct event event = {.type = EVENT_LAUNCHER, .bytes = shell->buffer};
    CLEANUP(closep) int fd = -1;
    ssize_t n = packet_receive_fd(shell->launcher_fd, shell->buffer, WIRE_MESSAGE_BYTES_MAX, &fd);

    if (n == -EAGAIN) {
        return;
    }
    if (n <= 0) {
        log_event(LOG_NOTICE, EV_STOP, "the launcher is gone, and so is this broker");
        shell->is_over = true;
        return;
    }
    if (fd >= 0) {
        event.instance = instance_link_new(shell, TAKE_FD(fd));
    }
    event.n_bytes = (size_t)n;
    shell_feed(shell, &event);
}

static void on_connection(struct shell *shell, uint32_t serial, uint32_t handle, uint32_t events)
{
    if (handle >= shell->n_connections || shell->connections[handle].fd < 0 ||
        shell->connections[handle].serial != serial) {
        return;
    }
    if (events & EPOLLOUT) {
        connection_flush(shell, handle);
    }
    if ((events & ~(uint32_t)EPOLLOUT) && shell->connections[handle].fd >= 0) {
        connection_read(shell, handle);
    }
}

static void on_worker(struct shell *shell, uint32_t serial, uint32_t handle)
{
    uint32_t instance = handle >> 8, slot = handle & 0xff;

    if (instance < shell->n_instances && slot < PROVIDER_SLOTS_MAX &&
        shell->instances[instance].fd >= 0 && shell->instances[instance].workers[slot].fd >= 0 &&
        shell->instances[instance].workers[slot].serial == serial) {
        worker_link_read(shell, instance, slot);
    }
}

static void dispatch(struct shell *shell, const struct epoll_event *event)
{
    uint32_t serial = (uint32_t)(event->data.u64 >> 32) & 0xffffffu;
    uint32_t handle = (uint32_t)event->data.u64;

    switch ((enum token_kind)(event->data.u64 >> 56)) {
    case TOKEN_LAUNCHER:
        read_launcher(shell);
        return;
    case TOKEN_CLIENTS:
        connection_accept(shell, shell->client_fd, false);
        return;
    case TOKEN_ADMINS:
        connection_accept(shell, shell->admin_fd, true);
        return;
    case TOKEN_IDENTITY:
        identity_link_read(shell);
        return;
    case TOKEN_RECEIVER:
        connection_take(shell);
        return;
    case TOKEN_LARGE_WORK:
        memory_hashed(shell);
        return;
    case TOKEN_CONNECTION:
        on_connection(shell, serial, handle, event->events);
        return;
    case TOKEN_INIT:
        if (handle < shell->n_instances && shell->instances[handle].fd >= 0 &&
            shell->instances[handle].serial == serial) {
            instance_link_read(shell, handle);
        }
        return;
    case TOKEN_WORKER:
        on_worker(shell, serial, handle);
        return;
    }
}

static void retry_if_due(struct shell *shell)
{
    if (shell->retry_us == 0 || clock_now_us() < shell->retry_us) {
        return;
    }
    shell->retry_us = 0;
    worker_link_retry(shell);
    identity_link_retry(shell);
    connection_retry(shell);
}

/* Time until the first deadline, rounded up so that it has passed when we wake. */
static int wait_ms(const struct shell *shell)
{
    uint64_t due_us = core_next_deadline_us(&shell->core);
    uint64_t now_us = clock_now_us();
    uint64_t ms;

    if (shell->retry_us > 0 && shell->retry_us < due_us) {
        due_us = shell->retry_us;
    }
    if (due_us <= now_us) {
        return 0;
    }
    ms = (due_us - now_us + 999) / 1000;
    return (int)(ms < WAIT_MS_MAX ? ms : WAIT_MS_MAX);
}

void run_loop(struct shell *shell)
{
    struct epoll_event events[EVENTS_PER_WAIT];

    while (!shell->is_over && !shell->actions.is_broken) {
        int n = epoll_wait(shell->epoll_fd, events, EVENTS_PER_WAIT, wait_ms(shell));

        if (n < 0 && errno != EINTR) {
            log_event(LOG_ERR, EV_INTERNAL, "waiting for events failed: errno %d", errno);
            return;
        }
        for (int i = 0; i < n && !shell->is_over; i++) {
            dispatch(shell, &events[i]);
        }
        if (core_next_deadline_us(&shell->core) <= clock_now_us()) {
            shell_feed(shell, &(struct event){.type = EVENT_TIMER});
        }
        retry_if_due(shell);
    }
    if (shell->actions.is_broken) {
        log_event(LOG_CRIT, EV_INTERNAL,
                  "out of memory in the middle of a step; ending, to be started again");
    }
}

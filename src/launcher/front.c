/*
 * Broker, identity and receiver, kept running.
 *
 * A broker that dies takes its connections along, so identity and receiver are started anew with
 * it; the providers are not touched. It is restarted at once, and only from the sixth time in ten
 * seconds on with a wait. Identity and receiver can also be replaced alone: the launcher keeps
 * their end of the channel to the broker, so their successor finds it, with what the broker has
 * sent meanwhile. What one of them had taken and not answered is lost; the broker's own time limit
 * covers that.
 */
#include "launcher/front.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "launcher/backoff.h"
#include "launcher/child.h"
#include "log/log.h"
#include "sys/clock.h"
#include "sys/packet.h"

/* A helper process that ends again and again is given this pause. */
#define HELPER_PAUSE_US 1000000u

enum helper_id {
    HELPER_IDENTITY = 0,
    HELPER_RECEIVER = 1,
};
#define N_HELPERS 2

struct helper {
    struct front *front;
    enum helper_id id;
    struct child *child;
    int channel; /* its end of the channel to the broker, kept for its successor */
    sd_event_source *timer;
    struct backoff_window window;
};

struct front {
    struct front_place place;
    const struct front_handlers *handlers;
    void *userdata;
    struct child *broker;
    struct broker_link *link;
    struct backoff_window window;
    sd_event_source *timer;
    bool is_draining;
    struct helper helpers[N_HELPERS];
};

static int start_broker(struct front *front);

static const char *const helper_names[N_HELPERS] = {
    [HELPER_IDENTITY] = "pes-identity",
    [HELPER_RECEIVER] = "pes-receiver",
};

struct broker_link *front_link(struct front *front)
{
    return front ? front->link : NULL;
}

/* Calls `callback` once after `wait_us`; `timer` may be in use already. */
static void call_later(struct front *front, sd_event_source **timer, uint64_t wait_us,
                       sd_event_time_handler_t callback, void *userdata)
{
    int r;

    *timer = sd_event_source_disable_unref(*timer);
    r = sd_event_add_time_relative(front->place.event, timer, CLOCK_MONOTONIC, wait_us, 1000,
                                   callback, userdata);
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "no timer for a restart (%s): ending, to be started anew",
                  strerror(-r));
        (void)sd_event_exit(front->place.event, 1);
    }
}

static void set_user(struct spawn *spawn, const struct front *front, const struct config_user *user)
{
    spawn->sets_user = front->place.is_system;
    spawn->uid = user->uid;
    spawn->gid = user->gid;
}

/* The program's full path; a path that doesn't fit is one that is not there. */
static const char *program_path(const struct front *front, const char *name, char path[PATH_MAX])
{
    if (paths_join(path, front->place.paths->libexec, name) < 0) {
        path[0] = '\0';
    }
    return path;
}

/* Adds "--NAME FD" to the arguments and the descriptor to those that are inherited. */
static void pass_fd(struct spawn *spawn, char **argv, size_t *n_argv, char text[16],
                    const char *name, int fd)
{
    snprintf(text, 16, "%d", fd);
    argv[(*n_argv)++] = (char *)(uintptr_t)name;
    argv[(*n_argv)++] = text;
    spawn->fds[spawn->n_fds++] = fd;
}

/* ---------------------------------------------------------------------------------- the helpers */

static void on_helper_exit(void *userdata, const siginfo_t *info);
static void drained(struct front *front);

static int start_helper(struct helper *helper)
{
    struct front *front = helper->front;
    const struct config *config = front->place.config;
    const char *name = helper_names[helper->id];
    char path[PATH_MAX];
    char channel[16];
    char listeners[2][16];
    const char *step;
    char *argv[8] = {(char *)(uintptr_t)name};
    size_t n_argv = 1;
    struct spawn spawn = {.argv = argv};
    int r;

    spawn.program = program_path(front, name, path);
    pass_fd(&spawn, argv, &n_argv, channel, "--broker-fd", helper->channel);
    set_user(&spawn, front, helper->id == HELPER_IDENTITY ? &config->identity : &config->receiver);
    if (helper->id == HELPER_IDENTITY) {
        spawn.capabilities = front->place.is_system ? 1ull << CAP_SYS_PTRACE : 0;
    } else {
        pass_fd(&spawn, argv, &n_argv, listeners[0], "--client-fd", front->place.sockets->client);
        pass_fd(&spawn, argv, &n_argv, listeners[1], "--admin-fd", front->place.sockets->admin);
    }
    r = child_new(&helper->child, front->place.event, &spawn, on_helper_exit, helper, &step);
    if (r < 0) {
        log_event(LOG_ERR, EV_CHILD_LOST, "%s cannot be started: %s: %s", name, step, strerror(-r));
        return r;
    }
    backoff_window_add(&helper->window, clock_now_us());
    return 0;
}

static int on_helper_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct helper *helper = userdata;

    if (start_helper(helper) < 0) {
        call_later(helper->front, &helper->timer, HELPER_PAUSE_US, on_helper_timer, helper);
    }
    return 0;
}

static void on_helper_exit(void *userdata, const siginfo_t *info)
{
    struct helper *helper = userdata;
    struct front *front = helper->front;
    char end[CHILD_END_BYTES];
    bool has_followed = info->si_code == CLD_EXITED && info->si_status == 0;
    uint64_t wait_us = backoff_window_wait_us(&helper->window, clock_now_us());

    child_free(TAKE_PTR(helper->child));
    if (front->is_draining || helper->channel < 0) {
        if (helper->id == HELPER_RECEIVER && !front->broker) {
            drained(front);
        }
        return;
    }
    /* It ends in peace when its broker has: that is told next, and brings a new one with it. */
    if (has_followed && wait_us < HELPER_PAUSE_US) {
        wait_us = HELPER_PAUSE_US;
    }
    log_event(has_followed ? LOG_INFO : LOG_WARNING, EV_CHILD_LOST,
              "%s %s; starting it again in %u ms", helper_names[helper->id],
              child_end_text(info, end), (unsigned)(wait_us / 1000));
    call_later(front, &helper->timer, wait_us, on_helper_timer, helper);
}

static void stop_helper(struct helper *helper)
{
    child_free(TAKE_PTR(helper->child));
    helper->timer = sd_event_source_disable_unref(helper->timer);
    closep(&helper->channel);
    helper->channel = -1;
}

/* Makes the channel between a helper and the broker; the broker's end goes to `ret_broker_end`. */
static int open_helper(struct helper *helper, int *ret_broker_end)
{
    int pair[2];
    int r = packet_pair(pair);

    if (r < 0) {
        return r;
    }
    helper->channel = pair[0];
    *ret_broker_end = pair[1];
    return start_helper(helper);
}

/* ----------------------------------------------------------------------------------- the broker */

static void stop_all(struct front *front)
{
    broker_link_free(TAKE_PTR(front->link));
    child_free(TAKE_PTR(front->broker));
    for (size_t i = 0; i < N_HELPERS; i++) {
        stop_helper(&front->helpers[i]);
    }
}

static void drained(struct front *front)
{
    stop_all(front);
    front->handlers->on_drained(front->userdata);
}

static int on_broker_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct front *front = userdata;

    if (start_broker(front) < 0) {
        stop_all(front);
        call_later(front, &front->timer, HELPER_PAUSE_US, on_broker_timer, front);
    }
    return 0;
}

static void on_broker_exit(void *userdata, const siginfo_t *info)
{
    struct front *front = userdata;
    uint64_t wait_us = backoff_window_wait_us(&front->window, clock_now_us());
    char end[CHILD_END_BYTES];

    if (front->is_draining && front->helpers[HELPER_RECEIVER].child) {
        /* Its relays still pass on what the broker has said; then it ends. */
        broker_link_free(TAKE_PTR(front->link));
        child_free(TAKE_PTR(front->broker));
        return;
    }
    if (front->is_draining) {
        drained(front);
        return;
    }
    stop_all(front);
    log_event(LOG_ERR, EV_CHILD_LOST, "pes-broker %s; starting it again in %u ms",
              child_end_text(info, end), (unsigned)(wait_us / 1000));
    call_later(front, &front->timer, wait_us, on_broker_timer, front);
}

static void on_ready(void *userdata, const struct wire_ready *message)
{
    struct front *front = userdata;

    front->handlers->on_ready(front->userdata, message);
}

static void on_retire(void *userdata, const char *name, uint64_t generation)
{
    struct front *front = userdata;

    front->handlers->on_retire(front->userdata, name, generation);
}

static void on_broken(void *userdata, const char *why)
{
    struct front *front = userdata;

    log_event(LOG_ERR, EV_CHILD_LOST, "pes-broker is replaced: %s", why);
    child_kill(front->broker, SIGKILL);
}

static const struct broker_link_handlers link_handlers = {
    .on_ready = on_ready,
    .on_retire = on_retire,
    .on_broken = on_broken,
};

static int exec_broker(struct front *front, int launcher_end, int identity_end, int receiver_end)
{
    char path[PATH_MAX];
    char texts[4][16];
    char *argv[12] = {(char *)"pes-broker"};
    size_t n_argv = 1;
    struct spawn spawn = {.argv = argv};
    const char *step;
    int r;

    spawn.program = program_path(front, "pes-broker", path);
    pass_fd(&spawn, argv, &n_argv, texts[0], "--launcher-fd", launcher_end);
    if (front->place.has_receiver) {
        pass_fd(&spawn, argv, &n_argv, texts[1], "--receiver-fd", receiver_end);
    } else {
        pass_fd(&spawn, argv, &n_argv, texts[1], "--client-fd", front->place.sockets->client);
        pass_fd(&spawn, argv, &n_argv, texts[2], "--admin-fd", front->place.sockets->admin);
    }
    pass_fd(&spawn, argv, &n_argv, texts[3], "--identity-fd", identity_end);
    argv[n_argv] = NULL;
    set_user(&spawn, front, &front->place.config->broker);
    r = child_new(&front->broker, front->place.event, &spawn, on_broker_exit, front, &step);
    if (r < 0) {
        log_event(LOG_ERR, EV_CHILD_LOST, "pes-broker cannot be started: %s: %s", step,
                  strerror(-r));
    }
    return r;
}

static int start_broker(struct front *front)
{
    CLEANUP(closep) int launcher_end = -1;
    CLEANUP(closep) int broker_end = -1;
    CLEANUP(closep) int identity_end = -1;
    CLEANUP(closep) int receiver_end = -1;
    int pair[2];
    int r = packet_pair(pair);

    if (r < 0) {
        return r;
    }
    launcher_end = pair[0];
    broker_end = pair[1];
    r = open_helper(&front->helpers[HELPER_IDENTITY], &identity_end);
    if (r == 0 && front->place.has_receiver) {
        r = open_helper(&front->helpers[HELPER_RECEIVER], &receiver_end);
    }
    if (r == 0) {
        r = exec_broker(front, broker_end, identity_end, receiver_end);
    }
    if (r == 0) {
        backoff_window_add(&front->window, clock_now_us());
        r = broker_link_new(&front->link, front->place.event, TAKE_FD(launcher_end), &link_handlers,
                            front);
    }
    if (r == 0) {
        front->handlers->on_connected(front->userdata);
    }
    return r;
}

int front_new(struct front **ret, const struct front_place *place,
              const struct front_handlers *handlers, void *userdata)
{
    struct front *front = calloc(1, sizeof(*front));
    int r;

    if (!front) {
        return -ENOMEM;
    }
    front->place = *place;
    front->handlers = handlers;
    front->userdata = userdata;
    for (size_t i = 0; i < N_HELPERS; i++) {
        front->helpers[i].front = front;
        front->helpers[i].id = (enum helper_id)i;
        front->helpers[i].channel = -1;
    }
    *ret = front; /* on_connected() looks for the link */
    r = start_broker(front);
    if (r < 0) {
        front_free(front);
        *ret = NULL;
    }
    return r;
}

void front_free(struct front *front)
{
    if (!front) {
        return;
    }
    stop_all(front);
    sd_event_source_disable_unref(front->timer);
    free(front);
}

void front_drain(struct front *front, uint32_t grace_ms)
{
    front->is_draining = true;
    if (front->broker) {
        broker_link_drain(front->link, grace_ms);
    } else {
        /* It was between two lives. */
        front->timer = sd_event_source_disable_unref(front->timer);
        front->handlers->on_drained(front->userdata);
    }
}

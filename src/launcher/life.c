/*
 * One broker with its helpers.
 *
 * A broker that ends takes its connections along, so identity and receiver end with it. They can
 * also be replaced alone: we keep their end of the channel to the broker, so their successor finds
 * it, with what the broker has sent meanwhile. What one of them had taken and not answered is lost;
 * the broker's own time limit covers that.
 *
 * Every process is started from the program that is there at that moment, under the users that the
 * configuration names then.
 *
 * On standby a broker waits until it is ready before it looks at the listening sockets. Where a
 * receiver takes clients in, it is not started before that.
 */
#include "launcher/life.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "launcher/backoff.h"
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
    struct life *life;
    enum helper_id id;
    struct child *child;
    int channel; /* its end of the channel to the broker, kept for its successor */
    sd_event_source *timer;
    struct backoff_window window;
};

struct life {
    struct front_place place;
    const struct life_handlers *handlers;
    void *userdata;
    struct child *broker;
    struct broker_link *link;
    bool is_standby;
    bool is_draining;
    char end[CHILD_END_BYTES]; /* how the broker ended */
    struct helper helpers[N_HELPERS];
};

static const char *const helper_names[N_HELPERS] = {
    [HELPER_IDENTITY] = "pes-identity",
    [HELPER_RECEIVER] = "pes-receiver",
};

static void set_user(struct spawn *spawn, const struct life *life, const struct config_user *user)
{
    spawn->sets_user = life->place.is_system;
    spawn->uid = user->uid;
    spawn->gid = user->gid;
}

/* The program's full path; a path that doesn't fit is one that is not there. */
static const char *program_path(const struct life *life, const char *name, char path[PATH_MAX])
{
    if (paths_join(path, life->place.paths->libexec, name) < 0) {
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
static void end(struct life *life);

static int start_helper(struct helper *helper)
{
    struct life *life = helper->life;
    const struct config *config = life->place.config;
    const char *name = helper_names[helper->id];
    char path[PATH_MAX];
    char channel[16];
    char listeners[2][16];
    const char *step;
    char *argv[8] = {(char *)(uintptr_t)name};
    size_t n_argv = 1;
    struct spawn spawn = {.argv = argv};
    int r;

    spawn.program = program_path(life, name, path);
    pass_fd(&spawn, argv, &n_argv, channel, "--broker-fd", helper->channel);
    set_user(&spawn, life, helper->id == HELPER_IDENTITY ? &config->identity : &config->receiver);
    if (helper->id == HELPER_IDENTITY) {
        spawn.capabilities = life->place.is_system ? 1ull << CAP_SYS_PTRACE : 0;
    } else {
        pass_fd(&spawn, argv, &n_argv, listeners[0], "--client-fd", life->place.sockets->client);
        pass_fd(&spawn, argv, &n_argv, listeners[1], "--admin-fd", life->place.sockets->admin);
    }
    r = child_new(&helper->child, life->place.event, &spawn, on_helper_exit, helper, &step);
    if (r < 0) {
        log_event(LOG_ERR, EV_CHILD_LOST, "%s cannot be started: %s: %s", name, step, strerror(-r));
        return r;
    }
    backoff_window_add(&helper->window, clock_now_us());
    return 0;
}

static int on_helper_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void start_helper_later(struct helper *helper, uint64_t wait_us)
{
    sd_event *event = helper->life->place.event;
    int r;

    helper->timer = sd_event_source_disable_unref(helper->timer);
    r = sd_event_add_time_relative(event, &helper->timer, CLOCK_MONOTONIC, wait_us, 1000,
                                   on_helper_timer, helper);
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "no timer for a restart (%s): ending, to be started anew",
                  strerror(-r));
        (void)sd_event_exit(event, 1);
    }
}

static int on_helper_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct helper *helper = userdata;

    if (start_helper(helper) < 0) {
        start_helper_later(helper, HELPER_PAUSE_US);
    }
    return 0;
}

static void on_helper_exit(void *userdata, const siginfo_t *info)
{
    struct helper *helper = userdata;
    struct life *life = helper->life;
    char text[CHILD_END_BYTES];
    bool has_followed = info->si_code == CLD_EXITED && info->si_status == 0;
    uint64_t wait_us = backoff_window_wait_us(&helper->window, clock_now_us());

    child_free(TAKE_PTR(helper->child));
    if (life->is_draining || helper->channel < 0) {
        if (helper->id == HELPER_RECEIVER && !life->broker) {
            end(life);
        }
        return;
    }
    /* It ends in peace when its broker has: that is told next, and brings a new one with it. */
    if (has_followed && wait_us < HELPER_PAUSE_US) {
        wait_us = HELPER_PAUSE_US;
    }
    log_event(has_followed ? LOG_INFO : LOG_WARNING, EV_CHILD_LOST,
              "%s %s; starting it again in %u ms", helper_names[helper->id],
              child_end_text(info, text), (unsigned)(wait_us / 1000));
    start_helper_later(helper, wait_us);
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
    return helper->id == HELPER_RECEIVER && helper->life->is_standby ? 0 : start_helper(helper);
}

/* ----------------------------------------------------------------------------------- the broker */

static void end(struct life *life)
{
    life->handlers->on_end(life->userdata, life, life->end);
}

static void on_broker_exit(void *userdata, const siginfo_t *info)
{
    struct life *life = userdata;

    (void)child_end_text(info, life->end);
    broker_link_free(TAKE_PTR(life->link));
    child_free(TAKE_PTR(life->broker));
    if (!life->is_draining || !life->helpers[HELPER_RECEIVER].child) {
        end(life);
    } /* else its relays still pass on what the broker has said; then it ends */
}

static void on_ready(void *userdata, const struct wire_ready *message)
{
    struct life *life = userdata;

    life->handlers->on_ready(life->userdata, life, message);
}

static void on_retire(void *userdata, const char *name, uint64_t generation)
{
    struct life *life = userdata;

    life->handlers->on_retire(life->userdata, life, name, generation);
}

static void on_broken(void *userdata, const char *why)
{
    struct life *life = userdata;

    log_event(LOG_ERR, EV_CHILD_LOST, "pes-broker is replaced: %s", why);
    child_kill(life->broker, SIGKILL);
}

static const struct broker_link_handlers link_handlers = {
    .on_ready = on_ready,
    .on_retire = on_retire,
    .on_broken = on_broken,
};

static int exec_broker(struct life *life, int launcher_end, int identity_end, int receiver_end)
{
    char path[PATH_MAX];
    char texts[4][16];
    char *argv[12] = {(char *)"pes-broker"};
    size_t n_argv = 1;
    struct spawn spawn = {.argv = argv};
    const char *step;
    int r;

    spawn.program = program_path(life, "pes-broker", path);
    pass_fd(&spawn, argv, &n_argv, texts[0], "--launcher-fd", launcher_end);
    if (life->place.has_receiver) {
        pass_fd(&spawn, argv, &n_argv, texts[1], "--receiver-fd", receiver_end);
    } else {
        pass_fd(&spawn, argv, &n_argv, texts[1], "--client-fd", life->place.sockets->client);
        pass_fd(&spawn, argv, &n_argv, texts[2], "--admin-fd", life->place.sockets->admin);
    }
    pass_fd(&spawn, argv, &n_argv, texts[3], "--identity-fd", identity_end);
    if (life->is_standby) {
        argv[n_argv++] = (char *)"--standby";
    }
    argv[n_argv] = NULL;
    set_user(&spawn, life, &life->place.config->broker);
    r = child_new(&life->broker, life->place.event, &spawn, on_broker_exit, life, &step);
    if (r < 0) {
        log_event(LOG_ERR, EV_CHILD_LOST, "pes-broker cannot be started: %s: %s", step,
                  strerror(-r));
    }
    return r;
}

static int start(struct life *life)
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
    r = open_helper(&life->helpers[HELPER_IDENTITY], &identity_end);
    if (r == 0 && life->place.has_receiver) {
        r = open_helper(&life->helpers[HELPER_RECEIVER], &receiver_end);
    }
    if (r == 0) {
        r = exec_broker(life, broker_end, identity_end, receiver_end);
    }
    if (r == 0) {
        r = broker_link_new(&life->link, life->place.event, TAKE_FD(launcher_end), &link_handlers,
                            life);
    }
    return r;
}

/* --------------------------------------------------------------------------------- from outside */

int life_new(struct life **ret, const struct front_place *place, bool is_standby,
             const struct life_handlers *handlers, void *userdata)
{
    CLEANUP(life_freep) struct life *life = calloc(1, sizeof(*life));
    int r;

    if (!life) {
        return -ENOMEM;
    }
    life->place = *place;
    life->is_standby = is_standby;
    life->handlers = handlers;
    life->userdata = userdata;
    for (size_t i = 0; i < N_HELPERS; i++) {
        life->helpers[i].life = life;
        life->helpers[i].id = (enum helper_id)i;
        life->helpers[i].channel = -1;
    }
    r = start(life);
    if (r == 0) {
        *ret = TAKE_PTR(life);
    }
    return r;
}

void life_free(struct life *life)
{
    if (!life) {
        return;
    }
    broker_link_free(life->link);
    child_free(life->broker);
    for (size_t i = 0; i < N_HELPERS; i++) {
        stop_helper(&life->helpers[i]);
    }
    free(life);
}

struct broker_link *life_link(struct life *life)
{
    return life ? life->link : NULL;
}

int life_admit(struct life *life)
{
    life->is_standby = false;
    return life->place.has_receiver ? start_helper(&life->helpers[HELPER_RECEIVER]) : 0;
}

void life_drain(struct life *life, uint32_t grace_ms)
{
    life->is_draining = true;
    broker_link_drain(life->link, grace_ms);
}

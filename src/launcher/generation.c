/*
 * One run of pes-init: started, listened to, stopped.
 *
 * init tells us two things, ready or failed; the text of a failure comes from the provider and is
 * only kept, to be escaped by whoever shows it. That a run is over is known from its process alone.
 */
#include "launcher/generation.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "ipc/launch_channel.h"
#include "launcher/config.h"
#include "launcher/config_provider.h"
#include "log/log.h"
#include "sys/clock.h"
#include "sys/packet.h"

/* From being asked to end until being killed. */
#define STOP_GRACE_US 1000000u

#define ARGV_MAX (32 + 2 * CONFIG_LIST_MAX)

static void take_event(struct generation *generation, const struct launch_event *event)
{
    size_t n_text = event->n_text;

    if (n_text > sizeof(event->text)) {
        n_text = sizeof(event->text);
    }
    if (event->type == LAUNCH_READY && generation->state == GENERATION_STARTING) {
        generation->load_timer = sd_event_source_disable_unref(generation->load_timer);
        generation->state = GENERATION_READY;
        generation->ready_us = clock_now_us();
        generation->handlers->on_ready(generation->userdata, generation);
    } else if (event->type == LAUNCH_FAILED) {
        snprintf(generation->failure, sizeof(generation->failure), "%.*s", (int)n_text,
                 event->text);
    }
}

/* Loading is a provider's own code: it can take for ever. */
static int on_load_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct generation *generation = userdata;

    if (generation->state == GENERATION_STARTING) {
        snprintf(generation->failure, sizeof(generation->failure),
                 "it was not ready in time and is ended; if it needs longer, raise load-timeout");
        child_kill(generation->init, SIGKILL);
    }
    return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct generation *generation = userdata;
    struct launch_event event;
    ssize_t n = packet_receive(fd, &event, sizeof(event));

    if (n == -EAGAIN) {
        return 0;
    }
    if (n == (ssize_t)sizeof(event) && event.version == LAUNCH_CHANNEL_VERSION) {
        take_event(generation, &event);
        return 0;
    }
    /* Its end, or nonsense: either way nothing more is expected from it but its exit. */
    (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
    if (n != 0) {
        snprintf(generation->failure, sizeof(generation->failure),
                 "pes-init said something that is no message");
        child_kill(generation->init, SIGKILL);
    }
    return 0;
}

static void on_init_exit(void *userdata, const siginfo_t *info)
{
    struct generation *generation = userdata;
    char why[GENERATION_WHY_BYTES_MAX];
    char end[CHILD_END_BYTES];

    if (generation->failure[0] != '\0') {
        snprintf(why, sizeof(why), "%s", generation->failure);
    } else {
        snprintf(why, sizeof(why), "pes-init %s", child_end_text(info, end));
    }
    generation->handlers->on_exit(generation->userdata, generation, why);
}

struct arguments {
    char *argv[ARGV_MAX];
    size_t n;
    char numbers[8][16];
    size_t n_numbers;
};

static void add_text(struct arguments *a, const char *name, const char *value)
{
    a->argv[a->n++] = (char *)(uintptr_t)name;
    a->argv[a->n++] = (char *)(uintptr_t)value;
}

static void add_number(struct arguments *a, const char *name, uint32_t value)
{
    char *text = a->numbers[a->n_numbers++];

    snprintf(text, sizeof(a->numbers[0]), "%u", value);
    add_text(a, name, text);
}

static int start_init(struct generation *generation, const struct generation_plan *plan,
                      const int fds[3], const char **ret_step)
{
    struct arguments a = {.argv = {(char *)"pes-init"}, .n = 1};
    struct spawn spawn = {
        .program = plan->program,
        .argv = a.argv,
        .fds = {fds[0], fds[1], fds[2]},
        .n_fds = 3,
    };

    add_text(&a, "--name", plan->name);
    add_number(&a, "--launcher-fd", (uint32_t)fds[0]);
    add_number(&a, "--broker-fd", (uint32_t)fds[1]);
    add_number(&a, "--module-fd", (uint32_t)fds[2]);
    add_text(&a, "--host", plan->host);
    add_number(&a, "--slots", plan->n_slots);
    a.argv[a.n++] = (char *)(uintptr_t) "--trial";
    if (plan->definitions) {
        add_text(&a, "--definitions", plan->definitions);
    }
    for (size_t i = 0; i < plan->n_options; i++) {
        add_text(&a, "--option", plan->options[i]);
    }
    if (plan->sets_user) {
        add_number(&a, "--uid", plan->uid);
        add_number(&a, "--gid", plan->uid);
    }
    if (plan->memory_mib > 0) {
        add_number(&a, "--memory-mib", plan->memory_mib);
    }
    if (plan->scratch_mib > 0) {
        add_number(&a, "--scratch-mib", plan->scratch_mib);
    }
    if (plan->min_tier > 0) {
        add_number(&a, "--min-tier", plan->min_tier);
    }
    return child_new(&generation->init, plan->event, &spawn, on_init_exit, generation, ret_step);
}

static void generation_freep(struct generation **generation)
{
    generation_free(*generation);
}

int generation_new(struct generation **ret, const struct generation_plan *plan,
                   const struct generation_handlers *handlers, void *userdata, int *ret_broker_end,
                   char ret_why[GENERATION_WHY_BYTES_MAX])
{
    CLEANUP(generation_freep) struct generation *generation = NULL;
    CLEANUP(closep) int init_end = -1;
    CLEANUP(closep) int broker_end = -1;
    CLEANUP(closep) int init_broker_end = -1;
    const char *step = "making channels";
    int launch[2];
    int broker[2];
    int r;

    generation = calloc(1, sizeof(*generation));
    if (!generation) {
        snprintf(ret_why, GENERATION_WHY_BYTES_MAX, "out of memory");
        return -ENOMEM;
    }
    list_init(&generation->node);
    generation->number = plan->number;
    generation->state = GENERATION_STARTING;
    generation->event = plan->event;
    generation->channel = -1;
    generation->handlers = handlers;
    generation->userdata = userdata;
    r = packet_pair(launch);
    if (r == 0) {
        generation->channel = launch[0];
        init_end = launch[1];
        r = packet_pair(broker);
    }
    if (r == 0) {
        broker_end = broker[0];
        init_broker_end = broker[1];
        r = sd_event_add_io(plan->event, &generation->source, generation->channel, EPOLLIN, on_io,
                            generation);
    }
    if (r >= 0) {
        r = sd_event_add_time_relative(plan->event, &generation->load_timer, CLOCK_MONOTONIC,
                                       plan->load_timeout_ms * 1000, 1000, on_load_timer,
                                       generation);
    }
    if (r >= 0) {
        r = start_init(generation, plan, (int[3]){init_end, init_broker_end, plan->module}, &step);
    }
    if (r < 0) {
        snprintf(ret_why, GENERATION_WHY_BYTES_MAX, "pes-init cannot be started: %s: %s", step,
                 strerror(-r));
        return r;
    }
    *ret_broker_end = TAKE_FD(broker_end);
    *ret = TAKE_PTR(generation);
    return 0;
}

void generation_free(struct generation *generation)
{
    if (!generation) {
        return;
    }
    list_remove(&generation->node);
    child_free(generation->init);
    sd_event_source_disable_unref(generation->source);
    sd_event_source_disable_unref(generation->load_timer);
    sd_event_source_disable_unref(generation->stop_timer);
    closep(&generation->channel);
    config_provider_fini(&generation->origin);
    free(generation);
}

int generation_new_broker(struct generation *generation, bool is_beside, int *ret_broker_end)
{
    struct launch_command command = {
        .version = LAUNCH_CHANNEL_VERSION,
        .type = is_beside ? LAUNCH_NEXT_BROKER : LAUNCH_NEW_BROKER,
    };
    CLEANUP(closep) int broker_end = -1;
    CLEANUP(closep) int init_end = -1;
    int pair[2];
    int r = packet_pair(pair);

    if (r < 0) {
        return r;
    }
    broker_end = pair[0];
    init_end = pair[1];
    r = packet_send(generation->channel, &command, sizeof(command), init_end);
    if (r < 0) {
        return r;
    }
    *ret_broker_end = TAKE_FD(broker_end);
    return 0;
}

static int on_stop_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct generation *generation = userdata;
    struct launch_command command = {.version = LAUNCH_CHANNEL_VERSION, .type = LAUNCH_STOP};
    bool is_asked = generation->state == GENERATION_STOPPING;

    generation->state = GENERATION_STOPPING;
    if (is_asked || packet_send(generation->channel, &command, sizeof(command), -1) < 0 ||
        sd_event_source_set_time_relative(source, STOP_GRACE_US) < 0 ||
        sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) < 0) {
        child_kill(generation->init, SIGKILL);
    }
    return 0;
}

void generation_stop(struct generation *generation, uint64_t delay_us)
{
    if (generation->state == GENERATION_STOPPING) {
        return;
    }
    generation->is_retiring = true;
    generation->is_spare = delay_us > 0;
    generation->stop_timer = sd_event_source_disable_unref(generation->stop_timer);
    if (sd_event_add_time_relative(generation->event, &generation->stop_timer, CLOCK_MONOTONIC,
                                   delay_us, 1000, on_stop_timer, generation) < 0) {
        generation->state = GENERATION_STOPPING;
        child_kill(generation->init, SIGKILL);
    }
}

bool generation_keep(struct generation *generation)
{
    if (!generation->is_spare || generation->state != GENERATION_READY) {
        return false;
    }
    generation->stop_timer = sd_event_source_disable_unref(generation->stop_timer);
    generation->is_retiring = false;
    generation->is_spare = false;
    return true;
}

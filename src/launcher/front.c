/*
 * The broker in front, kept running, and replaced by a new one without a moment without any.
 *
 * A broker that dies is restarted at once, and only from the sixth time in ten seconds on with a
 * wait; the providers are not touched.
 *
 * An upgrade starts a second one beside it, from the program that is there now. It is told what
 * there is, gets channels of its own to the same providers, and takes no client until it has said
 * that it is ready. Then the first says goodbye, answers what is open and ends. While there are
 * two, both are told what happens. If the second ends or is not ready in time it is ended, and the
 * first goes on as if nothing had been. If the first dies while the second is not ready, both are
 * replaced like any broker that dies.
 */
#include "launcher/front.h"

#include <stdio.h>
#include <string.h>

#include "launcher/backoff.h"
#include "launcher/life.h"
#include "log/log.h"
#include "sys/clock.h"

/* After a start that failed. */
#define RESTART_PAUSE_US 1000000u

/* A new broker loads nothing: it is ready as soon as the providers have told it what they are. */
#define READY_TIME_US 10000000u

/* The old broker ends when its last question is answered. One that takes longer is lost with it:
 * its client asks again, in what is left of its time. */
#define GRACE_MS 30000u

struct front {
    struct front_place place;
    const struct front_handlers *handlers;
    void *userdata;
    struct life *now;  /* takes clients; NULL between two lives */
    struct life *next; /* of an upgrade: not ready yet */
    struct life *old;  /* of an upgrade: ends when it has answered what is open */
    struct backoff_window window;
    sd_event_source *timer;       /* to the next start */
    sd_event_source *ready_timer; /* of `next` */
    uint64_t upgrade_us;          /* when it began */
    bool is_draining;
};

static int start_now(struct front *front);

struct broker_link *front_link(struct front *front)
{
    return front ? life_link(front->now) : NULL;
}

bool front_is_upgrading(const struct front *front)
{
    return front && (front->next || front->old);
}

/* ---------------------------------------------------------------------------- broken and mended */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void start_later(struct front *front, uint64_t wait_us)
{
    int r;

    front->timer = sd_event_source_disable_unref(front->timer);
    r = sd_event_add_time_relative(front->place.event, &front->timer, CLOCK_MONOTONIC, wait_us,
                                   1000, on_timer, front);
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "no timer for a restart (%s): ending, to be started anew",
                  strerror(-r));
        (void)sd_event_exit(front->place.event, 1);
    }
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct front *front = userdata;

    if (start_now(front) < 0) {
        start_later(front, RESTART_PAUSE_US);
    }
    return 0;
}

static void drop_next(struct front *front)
{
    life_free(TAKE_PTR(front->next));
    front->ready_timer = sd_event_source_disable_unref(front->ready_timer);
}

static void fail_upgrade(struct front *front, const char *why)
{
    char note[FRONT_NOTE_BYTES];

    snprintf(note, sizeof(note), "the new pes-broker %s; the one before goes on", why);
    drop_next(front);
    log_event(LOG_ERR, EV_UPGRADE, "not upgraded: %s", note);
    front->handlers->on_upgrade_over(front->userdata, note);
}

static void lose_now(struct front *front, const char *end)
{
    uint64_t wait_us = backoff_window_wait_us(&front->window, clock_now_us());
    bool was_tried = front->next;

    log_event(LOG_ERR, EV_CHILD_LOST, "pes-broker %s; starting it again in %u ms", end,
              (unsigned)(wait_us / 1000));
    drop_next(front);
    life_free(TAKE_PTR(front->now)); /* and `end` with it */
    start_later(front, wait_us);
    if (was_tried) {
        front->handlers->on_upgrade_over(front->userdata, NULL); /* the next one is new, too */
    }
}

/* ------------------------------------------------------------------------------------ upgrading */

static int on_ready_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    fail_upgrade(userdata, "was not ready in time and is ended");
    return 0;
}

/* The second is ready: clients are its own from here on. */
static void switch_over(struct front *front)
{
    if (life_admit(front->next) < 0) {
        fail_upgrade(front, "cannot take clients"); /* why was logged */
        return;
    }
    front->ready_timer = sd_event_source_disable_unref(front->ready_timer);
    front->old = front->now;
    front->now = TAKE_PTR(front->next);
    life_drain(front->old, GRACE_MS);
    log_event(LOG_INFO, EV_UPGRADE,
              "a new pes-broker serves; the one before answers what is open and ends");
}

static void end_old(struct front *front)
{
    life_free(TAKE_PTR(front->old));
    log_event(LOG_NOTICE, EV_UPGRADE, "pes-broker is upgraded, in %llu ms; the providers were kept",
              (unsigned long long)(clock_now_us() - front->upgrade_us) / 1000);
    front->handlers->on_upgrade_over(front->userdata, NULL);
}

/* ------------------------------------------------------------------------------- from the lives */

static void drain_progress(struct front *front)
{
    if (!front->now && !front->old) {
        front->handlers->on_drained(front->userdata);
    }
}

static void on_end(void *userdata, struct life *life, const char *end)
{
    struct front *front = userdata;
    char why[CHILD_END_BYTES + 32];

    if (front->is_draining) {
        if (life == front->old) {
            life_free(TAKE_PTR(front->old));
        } else {
            life_free(TAKE_PTR(front->now));
        }
        drain_progress(front);
    } else if (life == front->next) {
        snprintf(why, sizeof(why), "%s at its start", end);
        fail_upgrade(front, why);
    } else if (life == front->old) {
        end_old(front);
    } else {
        lose_now(front, end);
    }
}

static void on_ready(void *userdata, struct life *life, const struct wire_ready *message)
{
    struct front *front = userdata;

    if (life == front->next) {
        switch_over(front);
    }
    if (life == front->now) {
        front->handlers->on_ready(front->userdata, message);
    }
}

/* Only the broker in front decides: another one's view of what is needed is the past or a guess. */
static void on_retire(void *userdata, struct life *life, const char *name, uint64_t generation)
{
    struct front *front = userdata;

    if (life == front->now) {
        front->handlers->on_retire(front->userdata, name, generation);
    }
}

static const struct life_handlers life_handlers = {
    .on_ready = on_ready,
    .on_retire = on_retire,
    .on_end = on_end,
};

static int start_now(struct front *front)
{
    int r;

    backoff_window_add(&front->window, clock_now_us());
    r = life_new(&front->now, &front->place, false, &life_handlers, front);
    if (r == 0) {
        front->handlers->on_connected(front->userdata, life_link(front->now), front->old);
        broker_link_set_beside(life_link(front->now), life_link(front->old));
    }
    return r;
}

/* --------------------------------------------------------------------------------- from outside */

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
    *ret = front; /* on_connected() looks for the link */
    r = start_now(front);
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
    drop_next(front);
    life_free(front->old);
    life_free(front->now);
    sd_event_source_disable_unref(front->timer);
    free(front);
}

void front_upgrade(struct front *front)
{
    int r;

    front->upgrade_us = clock_now_us();
    if (!front->now) {
        front->handlers->on_upgrade_over(front->userdata, NULL); /* it is started anew anyway */
        return;
    }
    log_event(LOG_INFO, EV_UPGRADE, "starting a new pes-broker beside the one that serves");
    r = life_new(&front->next, &front->place, true, &life_handlers, front);
    if (r == 0) {
        front->handlers->on_connected(front->userdata, life_link(front->next), true);
        broker_link_set_beside(life_link(front->now), life_link(front->next));
        r = sd_event_add_time_relative(front->place.event, &front->ready_timer, CLOCK_MONOTONIC,
                                       READY_TIME_US, 1000, on_ready_timer, front);
    }
    if (r < 0) {
        fail_upgrade(front, "cannot be started");
    }
}

void front_drain(struct front *front, uint32_t grace_ms)
{
    front->is_draining = true;
    front->timer = sd_event_source_disable_unref(front->timer);
    drop_next(front);
    if (front->now) {
        life_drain(front->now, grace_ms);
    }
    drain_progress(front); /* it may have been between two lives */
}

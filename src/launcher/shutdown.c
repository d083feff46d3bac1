/*
 * The end, in at most three seconds whatever hangs.
 *
 * First nobody new can come (the sockets lose their names), then the broker answers what is open,
 * then the providers are asked to end, then whatever is left is killed. Each step is taken as soon
 * as the one before is done, or when its time is up.
 */
#include <systemd/sd-daemon.h>

#include "launcher/launcher.h"
#include "log/log.h"

#define DRAIN_MS 2000u
#define STOP_MS  500u
#define LAST_MS  300u

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void set_timer(struct launcher *launcher, uint32_t wait_ms)
{
    launcher->stop_timer = sd_event_source_disable_unref(launcher->stop_timer);
    if (sd_event_add_time_relative(launcher->event, &launcher->stop_timer, CLOCK_MONOTONIC,
                                   wait_ms * 1000ull, 1000, on_timer, launcher) < 0) {
        (void)sd_event_exit(launcher->event, 0); /* what is left dies with us */
    }
}

/* The next step, whatever is still there. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct launcher *launcher = userdata;

    if (launcher->front) {
        launcher->is_drained = true;
        launcher_stop_progress(launcher);
    } else if (providers_sweep(&launcher->providers) > 0 && launcher->is_ready) {
        log_event(LOG_WARNING, EV_STOP, "a provider does not end; it is killed");
        providers_kill(&launcher->providers);
        launcher->is_ready = false; /* the last wait */
        set_timer(launcher, LAST_MS);
    } else {
        (void)sd_event_exit(launcher->event, 0);
    }
    return 0;
}

void launcher_stop_progress(struct launcher *launcher)
{
    if (!launcher->is_stopping || !launcher->is_drained) {
        return;
    }
    if (launcher->front) {
        front_free(TAKE_PTR(launcher->front));
        providers_stop(&launcher->providers);
        set_timer(launcher, STOP_MS);
    }
    if (providers_sweep(&launcher->providers) == 0) {
        (void)sd_event_exit(launcher->event, 0);
    }
}

void launcher_stop(struct launcher *launcher)
{
    if (launcher->is_stopping) {
        (void)sd_event_exit(launcher->event, 0);
        return;
    }
    launcher->is_stopping = true;
    (void)sd_notify(0, "STOPPING=1\nSTATUS=answering what is open");
    log_event(LOG_NOTICE, EV_STOP, "ending");
    sockets_unlink(&launcher->sockets);
    set_timer(launcher, DRAIN_MS);
    front_drain(launcher->front, DRAIN_MS);
}

/*
 * Switched off for a while.
 *
 * `pes off` writes a file into the runtime folder and talks to nobody, so that it works whatever
 * state the service is in (base/off_state.h). Here it is noticed: at the start, and by inotify
 * afterwards. While it is in force the broker gets the configuration with every mode set to
 * observe; when its time is over, or it is gone, it gets the real one again. Both are logged: this
 * and the line that `pes off` itself sends to the system's log are the audit.
 */
#include "launcher/off.h"

#include <string.h>
#include <sys/inotify.h>

#include "base/off_state.h"
#include "log/log.h"

static void review(struct launcher *launcher);

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
    review(userdata);
    return 0;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
    if (event->mask & IN_Q_OVERFLOW ||
        (event->len > 0 && strcmp(event->name, OFF_STATE_NAME) == 0)) {
        review(userdata);
    }
    return 0;
}

static int arm(struct launcher *launcher, const struct off_state *state)
{
    launcher->off_timer = sd_event_source_disable_unref(launcher->off_timer);
    return sd_event_add_time(launcher->event, &launcher->off_timer, CLOCK_BOOTTIME,
                             state->until_s * 1000000ull, 1000, on_time, launcher);
}

static void switch_off(struct launcher *launcher, const struct off_state *state)
{
    int r = arm(launcher, state);

    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "not switched off, as there is no timer to end it: %s",
                  strerror(-r));
        return;
    }
    launcher->is_off = true;
    launcher->off = *state;
    log_event(LOG_WARNING, EV_SWITCHED_OFF,
              "nothing is stopped for the next %llu s, by the word of uid %u",
              (unsigned long long)(state->until_s - off_state_now_s()), (unsigned)state->by_uid);
}

/* How it ended is told; what is left of it is removed. */
static void switch_on(struct launcher *launcher)
{
    bool is_over = off_state_remove(launcher->sockets.path) == 0;

    launcher->off_timer = sd_event_source_disable_unref(launcher->off_timer);
    launcher->is_off = false;
    log_event(LOG_NOTICE, EV_SWITCHED_ON, "the configured mode is in force again: %s",
              is_over ? "the time is over" : "as somebody asked");
}

static void review(struct launcher *launcher)
{
    struct off_state state;
    bool was_off = launcher->is_off;
    int r = off_state_load(&state, launcher->sockets.path);

    if (launcher->is_stopping) {
        return;
    }
    if (r == 0 && was_off && state.until_s == launcher->off.until_s &&
        state.by_uid == launcher->off.by_uid) {
        return; /* told twice: closed, and moved to its name */
    }
    if (r == 0) {
        switch_off(launcher, &state);
    } else if (was_off) {
        switch_on(launcher);
    } else if (r != OFF_STATE_E_NONE) {
        log_event(LOG_WARNING, EV_SWITCHED_ON,
                  "the file '%s/" OFF_STATE_NAME
                  "' is not believed, and nothing is switched off: %s",
                  launcher->sockets.path,
                  r < 0 ? strerror(-r) : "wrong owner, rights or content; use 'pes off'");
    }
    if (was_off || launcher->is_off) {
        launcher_configure(launcher);
    }
}

int off_watch(struct launcher *launcher)
{
    int r = sd_event_add_inotify(launcher->event, &launcher->off_watch, launcher->sockets.path,
                                 IN_ONLYDIR | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE, on_change,
                                 launcher);

    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "the runtime folder cannot be watched: %s", strerror(-r));
        return r;
    }
    review(launcher);
    return 0;
}

void off_fini(struct launcher *launcher)
{
    sd_event_source_disable_unref(launcher->off_timer);
    sd_event_source_disable_unref(launcher->off_watch);
}

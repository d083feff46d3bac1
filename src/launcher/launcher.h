/* The launcher as a whole: its parts, and what happens between them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/off_state.h"
#include "launcher/config.h"
#include "launcher/front.h"
#include "launcher/paths.h"
#include "launcher/providers.h"
#include "launcher/sockets.h"
#include "sandbox/sandbox.h"

struct launcher {
    sd_event *event;
    struct paths paths;
    struct config_place place;
    struct config config; /* in force */
    uint64_t config_generation;
    struct problems problems; /* of the last reading */
    struct sockets sockets;
    struct front *front;
    struct providers providers;
    char tier[SANDBOX_TIER_BYTES];
    uint32_t owner_uid;
    bool has_receiver;
    int ready_fd; /* -1: none, or told */
    bool is_ready;

    bool is_off;          /* for a while: nothing is stopped */
    struct off_state off; /* while it is */
    sd_event_source *off_watch;
    sd_event_source *off_timer;

    char refused[FRONT_NOTE_BYTES]; /* why the last reload or upgrade was; "": it was not */
    bool is_refused_upgrade;
    bool upgrade_waits; /* until no generation takes another's place */
    bool reload_waits;  /* until an upgrade is over */

    bool is_stopping;
    bool is_drained;
    sd_event_source *stop_timer;
};

/* Sends the configuration in force to the broker. */
void launcher_configure(struct launcher *launcher);

/* Starts everything; the loop does the rest. Returns 0, or -errno when that failed and was
 * logged. */
MUST_CHECK int launcher_start(struct launcher *launcher);

/* Reads the configuration again, and takes it whole or not at all. */
void launcher_reload(struct launcher *launcher);

/* Replaces the broker by one from the program that is there now. Upgrade and reload wait for each
 * other: what is asked for while one is under way follows it. */
void launcher_upgrade(struct launcher *launcher);

/* Something has ended that others may wait for. */
void launcher_go_on(struct launcher *launcher);

/* It is over: `why` there is no new broker, or NULL. */
void launcher_upgrade_over(struct launcher *launcher, const char *why);

/* Shows in `pes status` why a reload or an upgrade was refused. */
void launcher_show_refusal(struct launcher *launcher, const char *why, bool is_upgrade);

/* Ends everything, in at most three seconds. Asked a second time: at once. */
void launcher_stop(struct launcher *launcher);

/* Something has ended: looks whether that was the last. */
void launcher_stop_progress(struct launcher *launcher);

/* Tells the service manager how long the start may take. */
void launcher_notify_starting(const struct launcher *launcher);

/* Tells the service manager, and whoever waits on --ready-fd. */
void launcher_notify_ready(struct launcher *launcher, uint32_t n_ready, uint32_t n_failed);

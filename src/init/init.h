/* State of the real init (PID 1 of a provider's namespaces), shared by the files of this folder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/init_options.h"
#include "init/provider_log.h"
#include "init/scratch.h"
#include "init/slot_table.h"
#include "init/zygote_process.h"
#include "ipc/init_channel.h"
#include "ipc/launch_channel.h"
#include "ipc/zygote_channel.h"

/* Room for a broker. Normally one is taken; while the broker is upgraded, both are. */
struct broker_seat {
    int channel;       /* -1: nobody sits here */
    bool is_announced; /* this broker was told */
};

struct init {
    const struct init_options *options;
    uint32_t namespaces; /* enum sandbox_namespace */
    int launcher;        /* channel; its end is ours */
    struct broker_seat seats[INIT_BROKERS_MAX];
    int lifeline; /* reading end of a pipe that stage 1 holds open; -1: none */
    int signals;  /* signalfd for SIGCHLD */
    int children; /* our own list of children in /proc; -1: the namespace ends with us */
    struct zygote_process zygote;
    enum zygote_phase phase;
    pid_t trial; /* worker of the self-test, -1: none */
    struct slot_table slots;
    struct scratch scratch;
    struct provider_log log;
    bool is_ready; /* describe is there */
    uint8_t describe[INIT_PAYLOAD_BYTES_MAX];
    size_t n_describe;
    bool is_ending;
    int exit_status;
};

/* Runs until the provider is told to end or fails; returns the exit status. */
int init_run(const struct init_options *options, uint32_t namespaces, int lifeline,
             const struct scratch *scratch);

/* Ends after this step, with this status. */
void init_end(struct init *init, int status);

/* The provider cannot serve, or not any more: says so to broker and launcher, and ends. */
void init_fail(struct init *init, const char *text);

/* broker_link.c */
void broker_link_step(struct init *init);     /* reads every command that is there */
void broker_link_announce(struct init *init); /* tells a new broker, once everything old is gone */
void broker_link_lose_all(struct init *init); /* kills all workers, closes the channels */

/* A broker takes a free seat. Returns 0, or -EBUSY; the channel is ours in any case. */
MUST_CHECK int broker_link_seat(struct init *init, int channel);

/* To every broker. */
void broker_link_tell_all(struct init *init, const struct init_event *event, const void *payload,
                          size_t n_payload);

/* Of a worker, to the broker whose slot it is; `event->slot` is counted among all slots. */
void broker_link_tell_worker(struct init *init, const struct init_event *event);
void broker_link_tell_never(struct init *init, uint32_t slot, uint64_t generation, int error);

/* Whether workers of an earlier broker still live in the slots of this seat: nothing is taken from
 * the one who sits there now until they are gone. */
bool broker_link_is_draining(const struct init *init, const struct broker_seat *seat);

/* launcher_link.c */
void launcher_link_step(struct init *init);
void launcher_link_tell(struct init *init, enum launch_event_type type, const char *text);

/* zygote_link.c */
void zygote_link_step(struct init *init);
MUST_CHECK int zygote_link_fork(struct init *init, uint32_t slot, uint64_t generation, int channel);

/* reaper.c */
void reaper_step(struct init *init);

/* At the end: kills every child there is, also those that nobody has named. */
void reaper_kill_all(struct init *init);

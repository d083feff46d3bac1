/*
 * Runs one provider the way launcher and broker together do: a real pes-init, a real pes-host, the
 * same channels. For programs that try a provider out (`pes provider check`) and for tests.
 *
 * One thread; every call that waits has a timeout. An event that arrives while another is waited
 * for is kept and given out later, in order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "ipc/init_channel.h"
#include "ipc/launch_channel.h"
#include "wire/codec.h"

#define INIT_DRIVER_EVENTS_MAX 256

/* What to start. Zero means: the default, or none. */
struct init_driver_options {
    const char *init_path;       /* pes-init; required */
    const char *host_path;       /* pes-host; required */
    const char *module_path;     /* the module's file; required */
    const char *name;            /* required */
    const char *definitions;     /* path, or NULL */
    const char *const *settings; /* "key=value", ends with NULL; or NULL */
    uint32_t n_slots;            /* 0: 2 */
    uint32_t memory_mib;         /* 0: as pes-init has it */
    uint32_t scratch_mib;        /* 0: none */
    uint32_t min_tier;           /* as pes.conf has it */
    uint32_t uid;                /* 0: stay who we are (as root: 65534) */
    uint32_t gid;                /* as uid */
    int log_fd;                  /* where stderr goes; 0: stays ours */
};

/* One event of init, with its payload. */
struct init_driver_event {
    struct init_event head;
    char payload[INIT_PAYLOAD_BYTES_MAX + 1]; /* terminated */
};

/* A running provider. */
struct init_driver {
    pid_t pid; /* of stage 1; -1: not running */
    int launcher;
    int broker;
    int channels[INIT_SLOTS_MAX]; /* our ends to the workers, -1: none */
    struct init_driver_event *events;
    size_t n_events;
};

#define INIT_DRIVER_INIT                                                                           \
    {                                                                                              \
        .pid = -1, .launcher = -1, .broker = -1                                                    \
    }

/* How one question ended. */
enum init_driver_outcome {
    INIT_DRIVER_E_TIMEOUT = 1, /* nothing by then */
    INIT_DRIVER_E_LOST = 2,    /* the worker (or init) closed its channel without an answer */
    INIT_DRIVER_E_PROTOCOL = 3 /* what came is no answer to what was asked */
};

/* Starts init with a sealed copy of the module. Returns 0 or -errno. */
MUST_CHECK int init_driver_start(struct init_driver *driver,
                                 const struct init_driver_options *options);

/* Kills it if it runs, waits for it, closes everything. */
void init_driver_fini(struct init_driver *driver);

/*
 * Waits until it serves or has failed. Returns 0 with its Describe, whose texts point into
 * `ret_event`; INIT_DRIVER_E_LOST with the reason in `ret_event->payload` (empty when there is
 * none); INIT_DRIVER_E_TIMEOUT; INIT_DRIVER_E_PROTOCOL; or -errno.
 */
MUST_CHECK int init_driver_wait_ready(struct init_driver *driver, int timeout_ms,
                                      struct init_driver_event *ret_event,
                                      struct wire_frame *ret_describe);

/* Next event of `type` (0: of any type) in this slot (-1: in any). Returns 0,
 * INIT_DRIVER_E_TIMEOUT, INIT_DRIVER_E_LOST when init is gone, or -errno. */
MUST_CHECK int init_driver_wait_event(struct init_driver *driver, uint32_t type, int slot,
                                      int timeout_ms, struct init_driver_event *ret_event);

/* Asks for a worker and waits until it lives. Returns 0, INIT_DRIVER_E_* or -errno; a worker that
 * could not be forked is INIT_DRIVER_E_LOST. */
MUST_CHECK int init_driver_spawn(struct init_driver *driver, uint32_t slot, uint64_t generation,
                                 int timeout_ms);

/* Sends one command as it is; for what the calls above do not do. Returns 0 or -errno. */
MUST_CHECK int init_driver_command(struct init_driver *driver, enum init_command_type type,
                                   uint32_t slot, uint64_t generation);

/*
 * Asks the worker of a slot one question and waits for its answer. `scan` has everything but the
 * content; content over the inline limit goes through a sealed memfd. Texts of `ret_result` point
 * into `buffer`. Returns 0, INIT_DRIVER_E_* or -errno.
 */
MUST_CHECK int init_driver_scan(struct init_driver *driver, uint32_t slot,
                                const struct wire_scan *scan, const void *content, size_t n_content,
                                int timeout_ms, char buffer[WIRE_RESULT_BYTES_MAX],
                                struct wire_frame *ret_result);

/* The two halves of it, to have several slots busy at once. */
MUST_CHECK int init_driver_scan_send(struct init_driver *driver, uint32_t slot,
                                     const struct wire_scan *scan, const void *content,
                                     size_t n_content);
MUST_CHECK int init_driver_scan_receive(struct init_driver *driver, uint32_t slot, int timeout_ms,
                                        char buffer[WIRE_RESULT_BYTES_MAX],
                                        struct wire_frame *ret_result);

/* Gives init a new channel to the broker, as after a broker's restart. Returns 0 or -errno. */
MUST_CHECK int init_driver_new_broker(struct init_driver *driver);

/* Gives init a channel to a broker beside this one; `ret_broker` is that broker's end. */
MUST_CHECK int init_driver_next_broker(struct init_driver *driver, int *ret_broker);

/* Asks init to end and waits for it. Returns its exit status (128 + signal), INIT_DRIVER_E_TIMEOUT
 * is -ETIMEDOUT here, or another -errno. */
MUST_CHECK int init_driver_stop(struct init_driver *driver, int timeout_ms);

/* Waits for init to end by itself; returns as init_driver_stop(). */
MUST_CHECK int init_driver_wait_exit(struct init_driver *driver, int timeout_ms);

/* The provider that is checked, running as in the daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/init_driver.h"

#define SUBJECT_TEXT_BYTES    640 /* 511 bytes, and what escaping adds */
#define SUBJECT_LATENCIES_MAX 8192

enum reply_how {
    REPLY_ANSWER = 1,   /* `result` is set */
    REPLY_CRASH = 2,    /* its worker died; `reason` says of what */
    REPLY_TIMEOUT = 3,  /* no answer in time; its worker was ended */
    REPLY_NONSENSE = 4, /* what came was no answer; its worker was ended */
    REPLY_GONE = 5,     /* the provider as a whole is gone, or cannot be asked; see `reason` */
};

struct question {
    uint32_t kind; /* 0: the first that it declared */
    const void *bytes;
    size_t n_bytes;
    const struct wire_item *context; /* claimed */
    size_t n_context;
    int timeout_ms; /* 0: that of ordinary questions */
};

struct reply {
    enum reply_how how;
    char reason[96];
    uint64_t wall_us;
    struct wire_frame frame; /* texts point into `buffer` */
    char buffer[WIRE_RESULT_BYTES_MAX];
};

struct subject_options {
    const char *module_path;
    const char *definitions;     /* or NULL */
    const char *const *settings; /* "key=value", ends with NULL; or NULL */
    const char *init_path;
    const char *host_path;
    uint32_t memory_mib;   /* 0: as pes-init has it */
    uint32_t scratch_mib;  /* 0: none */
    int answer_timeout_ms; /* for ordinary questions */
};

struct subject {
    struct init_driver driver;
    bool is_running;
    bool has_worker;
    int answer_timeout_ms;
    uint64_t generation;
    uint64_t next_id;
    char name[SUBJECT_TEXT_BYTES]; /* safe to show, as are the others */
    char version[SUBJECT_TEXT_BYTES];
    char definitions[SUBJECT_TEXT_BYTES];
    char note[SUBJECT_TEXT_BYTES];
    uint32_t kinds[64];
    size_t n_kinds;
    uint32_t n_samples; /* of its own that it has found before it served */
    size_t n_questions;
    size_t n_crashes;
    size_t n_timeouts;
    uint64_t rss_kib_max;   /* of any worker */
    uint32_t *latencies_us; /* of the first SUBJECT_LATENCIES_MAX answers about small contents */
    size_t n_latencies;
};

#define SUBJECT_INIT                                                                               \
    {                                                                                              \
        .driver = INIT_DRIVER_INIT                                                                 \
    }

/* Starts it and waits until it serves. Returns 0, or -1 with the provider's own reason (or ours)
 * in `ret_reason`, safe to show; or -errno when nothing could be started at all. */
MUST_CHECK int subject_start(struct subject *subject, const struct subject_options *options,
                             char ret_reason[SUBJECT_TEXT_BYTES]);

/* Asks one question, in a new worker if there is none. */
void subject_ask(struct subject *subject, const struct question *question, struct reply *ret_reply);

/* Ends the worker; its greatest resident size, or 0 when there was none. */
uint64_t subject_end_worker(struct subject *subject);

void subject_fini(struct subject *subject);

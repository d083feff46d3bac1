/*
 * The broker's core: a pure function of its state, one event and the time. No I/O, no clock, no
 * randomness but the
 * seed: simulator, fuzzer and daemon drive the same code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"
#include "broker/action_list.h"
#include "broker/client_log.h"
#include "broker/event.h"
#include "broker/fuse.h"
#include "broker/policy.h"
#include "broker/provider.h"
#include "broker/quota.h"
#include "broker/stats.h"
#include "broker/timer.h"

#define CORE_MAX_CONTENT_BYTES   (UINT64_C(100) << 20)
#define CORE_MAX_TIME_US         UINT64_C(600000000)
#define CORE_HELLO_TIME_US       UINT64_C(2000000)
#define CORE_IDENTITY_TIME_US    UINT64_C(1000000)
#define CORE_IDLE_TIME_US        UINT64_C(600000000)
#define CORE_RESERVATION_TIME_US UINT64_C(30000000)
#define CORE_STREAM_TIME_US      UINT64_C(600000000) /* from one segment to the next */
#define CORE_SESSIONS_MAX        16384

struct session;

/* Handles to things: a table that grows, slot 0 is never used. */
struct handles {
    void **items;
    size_t n_items;
};

struct core {
    struct action_list *actions; /* of the step that is being taken */
    struct handles sessions;     /* the shell's handles */
    struct handles instances;    /* the shell's handles */
    struct handles contents;     /* ours */
    size_t n_sessions;
    size_t n_questions;
    uint64_t content_bytes;
    struct heap timers;
    struct quota quota;
    struct policy policy;
    struct provider providers[PROVIDERS_MAX];
    struct stats stats;
    struct client_log client_log;
    struct fuse fuse;
    uint64_t started_us;
    uint64_t now_us; /* of this step */
    uint64_t seed;
    uint64_t n_references;
    uint64_t last_part_id;
    uint64_t max_content_bytes;
    uint32_t max_in_flight;
    uint32_t default_timeout_ms;
    uint64_t config_generation;
    bool is_configured;
    bool is_system;
    bool allows_unsigned;
    bool said_ready;
    bool is_draining;
    bool is_grace_over; /* of draining */
    struct timer drain_timer;
    uint32_t owner_uid_plus_1;
    char tier[129];
    char fd_guard[65];
    char config_error[513];
    struct wire_frame *frame;      /* scratch for decoding what arrives */
    struct wire_frame *scratch;    /* scratch for decoding a kept result */
    union wire_outgoing *outgoing; /* scratch for what is sent */
};

/* Messages that are too large for the stack while they are put together. */
union wire_outgoing {
    struct wire_answer answer;
    struct wire_service service;
    struct wire_report report;
    struct wire_scan scan;
};

/* What there is to share out among all users. */
struct core_machine {
    uint64_t memory_bytes; /* a quarter may be lent */
    uint64_t n_files;      /* descriptors that this process may have; see QUOTA_LENT */
};

/* Returns 0 or -ENOMEM. */
MUST_CHECK int core_init(struct core *core, uint64_t seed, const struct core_machine *machine,
                         uint64_t now_us);
void core_fini(struct core *core);

/* One step. `actions` is emptied first. */
void core_step(struct core *core, const struct event *event, uint64_t now_us,
               struct action_list *actions);

/* When a timer event is due, or UINT64_MAX. */
uint64_t core_next_deadline_us(const struct core *core);

/* For the core's own files. */
MUST_CHECK int core_arm(struct core *core, struct timer *timer, uint64_t due_us);
void core_disarm(struct core *core, struct timer *timer);
MUST_CHECK int handles_set(struct handles *handles, uint32_t handle, void *item);
void handles_clear(struct handles *handles, uint32_t handle);
void *handles_get(const struct handles *handles, uint32_t handle);
uint32_t handles_free_slot(const struct handles *handles);
struct provider *core_find_provider(struct core *core, const char *name, size_t n_name);

/* Copies borrowed bytes into a terminated buffer, cut to fit. */
void core_copy_text(char *buffer, size_t n_buffer, struct wire_bytes text);

/* Tells a client to connect anew for further questions. */
void core_send_goaway(struct core *core, const struct session *session);

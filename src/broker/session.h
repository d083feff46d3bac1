/* One connection of a client. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "broker/event.h"
#include "broker/quota.h"
#include "broker/timer.h"
#include "wire/messages.h"

#define SESSION_NAME_BYTES 64
#define SESSION_MEMORY     64 /* answers that may still be acknowledged */

struct core;

enum session_state {
    SESSION_NEW = 0,         /* no hello yet */
    SESSION_IDENTIFYING = 1, /* hello, but who it is is not known yet */
    SESSION_OPEN = 2,
};

struct session {
    struct core *core;
    uint32_t handle;
    enum session_state state;
    struct event_peer peer;
    uint64_t opened_us;
    bool is_identified;
    bool is_own; /* one of our own processes asks: nobody may wait for itself */
    struct identity_record identity;
    char client[SESSION_NAME_BYTES + 1];   /* verified name of the program file, or "" */
    char app_name[SESSION_NAME_BYTES + 1]; /* claimed */
    char app_version[SESSION_NAME_BYTES + 1];
    uint32_t can;
    uint64_t last_id;
    uint64_t last_content_id;
    uint64_t last_stream_id;
    uint32_t segment_bytes; /* of its streams, as it was told */
    struct list questions;
    struct list contents;
    struct timer timer;
    struct quota_charge charge;
    struct quota_charge outbox_charge;
    struct quota_charge lent_charge;
    /* What was answered lately, so that an acknowledgement finds what it is about. */
    struct {
        uint64_t id;
        uint32_t found_mask; /* providers that found something */
    } memory[SESSION_MEMORY];
    size_t next_memory;
};

void session_open(struct core *core, uint32_t handle, const struct event_peer *peer,
                  uint64_t now_us);

/* Frees it and all it holds; with `tell`, the shell is asked to close the connection. */
void session_close(struct session *session, bool tell);

void session_on_message(struct session *session, const uint8_t *bytes, size_t n_bytes,
                        uint64_t now_us);
void session_on_identity(struct session *session, const struct identity_record *record,
                         uint64_t now_us);
void session_on_queued(struct session *session, size_t n_bytes);
void session_on_flushed(struct session *session, size_t n_bytes);
void session_on_taken(struct session *session, size_t n_fds);
void session_on_timer(struct session *session, uint64_t now_us);

/* Remembers an answer for a later acknowledgement. */
void session_remember(struct session *session, uint64_t id, uint32_t found_mask);

/* Restarts the idle time. */
void session_touch(struct session *session, uint64_t now_us);

/*
 * What happens to the broker's core, and what it wants done: the whole interface between the pure
 * core and the shell around it. Nothing here refers to a descriptor or a clock; handles are numbers
 * that the shell can map to either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/identity_channel.h"
#include "ipc/init_channel.h"
#include "log/log.h"

enum event_type {
    EVENT_SESSION_OPENED = 1,  /* session, peer */
    EVENT_SESSION_MESSAGE = 2, /* session, bytes */
    EVENT_SESSION_CLOSED = 3,  /* session: the peer is gone */
    EVENT_SESSION_QUEUED = 4, /* session, n_bytes: the peer does not read, so much had to be kept */
    EVENT_SESSION_FLUSHED = 5, /* session, n_bytes: so much of that is gone */
    EVENT_IDENTITY = 6,        /* session, identity */
    EVENT_CONTENT_MADE = 7,    /* content, error */
    EVENT_CONTENT_CHECKED = 8, /* content, error: -EBADMSG is the client's doing */
    EVENT_CONTENT_HASHED = 9,  /* content, digest */
    EVENT_WORKER_MESSAGE = 10, /* instance, slot, generation, bytes */
    EVENT_WORKER_CLOSED =
        11,          /* instance, slot, generation: its channel is dead, why is not known yet */
    EVENT_INIT = 12, /* instance, init, bytes (payload) */
    EVENT_INIT_CLOSED = 13, /* instance: its init is gone */
    EVENT_LAUNCHER =
        14,           /* bytes; instance: handle for the channel that came with it, 0 if none did */
    EVENT_TIMER = 15, /* nothing but the time */
    EVENT_SESSION_TAKEN = 16, /* session, n_fds: the peer has read so many that were sent to it */
};

struct event_peer {
    uint32_t uid;
    uint32_t gid;
    uint32_t pid;
    bool is_admin; /* came by the admin socket */
};

struct event {
    enum event_type type;
    uint32_t session;
    uint32_t content;
    uint32_t instance;
    uint32_t slot;
    uint64_t generation;
    int error;
    const uint8_t *bytes;
    size_t n_bytes;
    size_t n_fds;
    const uint8_t *digest; /* 32 bytes */
    struct event_peer peer;
    const struct identity_record *identity;
    const struct init_event *init;
};

enum action_type {
    ACTION_SESSION_SEND = 1,   /* session, message, content: carry its descriptor, 0: none */
    ACTION_SESSION_CLOSE = 2,  /* session: after what was sent; no event follows */
    ACTION_IDENTIFY = 3,       /* session */
    ACTION_CONTENT_MAKE = 4,   /* content, n_bytes */
    ACTION_CONTENT_CHECK = 5,  /* content, n_bytes */
    ACTION_CONTENT_HASH = 6,   /* content, n_bytes */
    ACTION_CONTENT_FREE = 7,   /* content */
    ACTION_WORKER_SPAWN = 8,   /* instance, slot, generation */
    ACTION_WORKER_SEND = 9,    /* instance, slot, generation, message, content */
    ACTION_WORKER_KILL = 10,   /* instance, slot, generation */
    ACTION_WORKER_CLOSE = 11,  /* instance, slot, generation: it is gone, drop its channel */
    ACTION_INSTANCE_STOP = 12, /* instance: end it and drop its channel; no event follows */
    ACTION_LAUNCHER_SEND = 13, /* message */
    ACTION_LOG = 14,           /* priority, log, message: text */
    ACTION_EXIT = 15,          /* end the process cleanly, unless something must be told first */
    ACTION_ADMIT_NONE = 16,    /* whoever connects from now on is a successor's */
    ACTION_CONTENT_JOIN = 17,  /* content, segment: its memory goes to the end of the content's */
};

struct action {
    enum action_type type;
    uint32_t session;
    uint32_t content;
    uint32_t segment; /* another content */
    uint32_t instance;
    uint32_t slot;
    uint64_t generation;
    uint64_t n_bytes;
    size_t message; /* offset into the list's bytes */
    size_t n_message;
    int priority;
    enum log_event_id log;
};

/*
 * The shell around the core: descriptors, epoll and the helper thread. It decides nothing.
 *
 * Everything that can become readable has a token {kind, serial, handle}; the serial tells a thing
 * from another that took its handle in the meantime.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/content.h"
#include "broker/core.h"
#include "broker/large_work.h"
#include "broker/lent_tally.h"

struct outgoing;

struct connection {
    int fd;    /* -1: this handle is free */
    int pidfd; /* until identity is asked */
    uint32_t pid;
    uint32_t serial;
    struct lent_tally lent;
    struct outgoing *first; /* what the client has not read yet */
    struct outgoing *last;
};

struct memory {
    size_t n_fds; /* 0: this handle is free */
    int fds[CONTENT_ROW_MAX];
    uint64_t segment_bytes; /* length of all but the last */
    uint64_t n_bytes;       /* of all together */
};

struct worker_link {
    int fd;
    uint32_t serial;
    uint64_t generation;
    struct outgoing *spawn; /* order to init that could not be sent yet */
    struct outgoing *scan;  /* the same to the worker */
};

struct instance_link {
    int fd; /* -1: this handle is free */
    uint32_t serial;
    struct worker_link workers[PROVIDER_SLOTS_MAX];
};

/* An outcome of an action, delivered to the core before anything else. */
struct outcome {
    struct event event;
    uint8_t digest[SHA256_DIGEST_BYTES];
    struct init_event init;
    struct identity_record *identity; /* owned, or NULL */
};

#define IDENTITY_ASKED_MAX 16

/* Whose turn it is to be identified. */
struct identity_turns {
    size_t n_waiting;                   /* connections that have a pidfd */
    uint32_t last_handle;               /* the last one that was asked about */
    uint64_t asked[IDENTITY_ASKED_MAX]; /* on their way, in order */
    size_t n_asked;
};

enum token_kind {
    TOKEN_LAUNCHER = 1,
    TOKEN_CLIENTS = 2, /* listener */
    TOKEN_ADMINS = 3,  /* listener */
    TOKEN_IDENTITY = 4,
    TOKEN_RECEIVER = 5,
    TOKEN_LARGE_WORK = 6,
    TOKEN_CONNECTION = 7,
    TOKEN_INIT = 8,
    TOKEN_WORKER = 9,
};

struct shell {
    struct core core;
    struct action_list actions;
    int epoll_fd;
    int launcher_fd;
    int client_fd;
    int admin_fd;
    int identity_fd;
    int receiver_fd;
    int spare_fd; /* given up when descriptors run out, so that a connection can be taken and closed */
    uint32_t last_serial;
    uint64_t retry_us;              /* when to try again what found no room, 0: nothing did */
    struct connection *connections; /* [0] is never used */
    size_t n_connections;
    struct identity_turns identity;
    struct memory *memories;
    size_t n_memories;
    struct instance_link *instances;
    size_t n_instances;
    struct outcome *outcomes; /* ring-less queue: first_outcome .. n_outcomes - 1 wait */
    size_t first_outcome;
    size_t n_outcomes;
    size_t outcomes_capacity;
    struct large_work large_work;
    bool is_standby; /* the listening sockets are not looked at yet */
    bool is_over;
    uint8_t buffer[WIRE_MESSAGE_BYTES_MAX + 1];
};

/* One event into the core, its actions carried out, and so on until nothing follows. */
void shell_feed(struct shell *shell, const struct event *event);

/* The same for outcomes that are in line already. */
void shell_feed_outcomes(struct shell *shell);

/* Something found no room to be sent, and nobody will say when there is some: soon everything that
 * waits is tried again. */
void shell_retry(struct shell *shell);

/* Puts an outcome in line; returns it for filling in, never NULL (memory ran out: the process
 * ends). */
struct outcome *shell_outcome(struct shell *shell, enum event_type type);

/* Watches a descriptor. Returns 0 or -errno. */
MUST_CHECK int shell_watch(struct shell *shell, int fd, enum token_kind kind, uint32_t serial,
                           uint32_t handle);

/* Looks at the listening sockets, where there are some. Returns 0 or -errno. */
MUST_CHECK int shell_admit(struct shell *shell);

/* A fresh serial, 24 bits. */
uint32_t shell_serial(struct shell *shell);

/* connection.c: clients */
void connection_accept(struct shell *shell, int listener, bool is_admin);
void connection_take(struct shell *shell);
void connection_read(struct shell *shell, uint32_t handle);
void connection_flush(struct shell *shell, uint32_t handle);
void connection_send(struct shell *shell, const struct action *action);
void connection_close(struct shell *shell, uint32_t handle);
void connection_retry(struct shell *shell);

/* identity_link.c: who clients are */
void identity_link_ask(struct shell *shell, uint32_t handle);
void identity_link_forget(struct shell *shell, uint32_t handle);
void identity_link_read(struct shell *shell);
void identity_link_retry(struct shell *shell);

/* memory.c: content */
void memory_make(struct shell *shell, uint32_t handle, uint64_t n_bytes);
void memory_check(struct shell *shell, uint32_t handle);
void memory_hash(struct shell *shell, uint32_t handle);
void memory_hashed(struct shell *shell);
void memory_free(struct shell *shell, uint32_t handle);
void memory_join(struct shell *shell, uint32_t handle, uint32_t segment);

/* What there is under a handle; never NULL. Until the next one is made. */
const struct memory *memory_get(const struct shell *shell, uint32_t handle);

/* worker_link.c: providers */
uint32_t instance_link_new(struct shell *shell, int fd);
void instance_link_read(struct shell *shell, uint32_t handle);
void instance_link_stop(struct shell *shell, uint32_t handle);
void instance_link_close(struct shell *shell, uint32_t handle);
void worker_link_spawn(struct shell *shell, const struct action *action);
void worker_link_send(struct shell *shell, const struct action *action);
void worker_link_kill(struct shell *shell, const struct action *action);
void worker_link_close(struct shell *shell, const struct action *action);
void worker_link_retry(struct shell *shell);
void worker_link_read(struct shell *shell, uint32_t handle, uint32_t slot);

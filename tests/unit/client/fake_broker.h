/*
 * A broker that does as it is told: one thread, one listening socket in a folder of its own.
 * Without a word from the test it welcomes, lends memory, and answers that nothing was found.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pes/pes.h>

#include "wire/codec.h"

#define FAKE_CONNECTIONS_MAX 16
#define FAKE_CONTENTS_MAX    64

struct fake_broker;

/* One connection, as the broker's side sees it. */
struct fake_connection {
    int fd;          /* -1: closed */
    unsigned number; /* 1, 2, ... in order of connecting */
};

/* Content that was lent. */
struct fake_content {
    unsigned connection;
    uint64_t id;
    int fd;
    bool is_sealed; /* when it was asked about */
};

/*
 * Called for every message, in the broker's thread. Returns true when it has dealt with it; false
 * for the usual.
 */
typedef bool (*fake_handler)(struct fake_broker *fake, struct fake_connection *connection,
                             const struct wire_frame *frame);

struct fake_broker {
    char folder[64];
    char socket[80];
    char policy[80]; /* client policy file: exists, and is empty */
    fake_handler handler;
    /*
     * The handler's. Its answer wakes the test, which may be over before the handler is: what a
     * handler remembers is kept here, and `data` must live until the broker has stopped.
     */
    struct fake_connection *kept;
    size_t count;
    void *data;

    /* For welcome; to be set before starting. */
    uint32_t max_in_flight;
    uint32_t max_inline_bytes;
    uint64_t max_content_bytes;
    uint32_t segment_bytes; /* 0: knows no streams */
    bool done_in_ask;       /* false: knows only messages of their own */

    int listener;
    int stop_pipe[2];
    pthread_t thread;
    bool is_running;
    struct fake_connection connections[FAKE_CONNECTIONS_MAX];
    unsigned n_connections; /* ever */
    struct fake_content contents[FAKE_CONTENTS_MAX];
    size_t n_contents;
    uint64_t stream_ask; /* the question whose stream came last */
    uint8_t *stream;     /* what has come of it */
    size_t n_stream;

    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t changed;
    size_t n_seen[WIRE_TYPE_READY + 1]; /* messages by type */
    uint32_t last_did;
    struct wire_ask last_ask; /* its texts are gone */
    uint64_t last_full_size;
};

/* Makes the folder and points this process at it; the broker does not run yet. */
void fake_broker_setup(struct fake_broker *fake);
void fake_broker_start(struct fake_broker *fake);
/* Closes everything; the socket file goes, too. May be started again. */
void fake_broker_stop(struct fake_broker *fake);
void fake_broker_teardown(struct fake_broker *fake);

/* Waits until `n` messages of the type were seen; fails the test after five seconds. */
void fake_broker_await(struct fake_broker *fake, enum wire_type type, size_t n);
size_t fake_broker_seen(struct fake_broker *fake, enum wire_type type);

/* For handlers. */
void fake_send(const struct fake_connection *connection, enum wire_type type, const void *message);
void fake_send_raw(const struct fake_connection *connection, const void *bytes, size_t n_bytes,
                   int fd);
void fake_close(struct fake_connection *connection);
/* "Nothing found" for that id. */
void fake_answer(const struct fake_connection *connection, uint64_t id);
/* The bytes of a question, from wherever they are; -1 without. */
ssize_t fake_content_bytes(struct fake_broker *fake, const struct fake_connection *connection,
                           const struct wire_ask *ask, void *buffer, size_t n_buffer);

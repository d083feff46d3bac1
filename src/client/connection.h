/* One socket to the broker, from hello to the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "client/client_policy.h"
#include "client/place.h"
#include "wire/codec.h"

#define CONNECTION_NOTES_MAX 64
/* As many may wait for a question to travel with; then all of them are sent. */
#define CONNECTION_PATIENT_MAX   16
#define CONNECTION_IN_FLIGHT_MAX 4096
#define CONNECTION_CONNECT_MS    250
/* No broker wants shorter segments (SPEC 4.7), and longer ones are not gathered. */
#define CONNECTION_SEGMENT_BYTES_MIN (1u << 20)
#define CONNECTION_SEGMENT_BYTES_MAX (1u << 30)

enum connection_state {
    CONNECTION_GREETING = 1, /* hello was sent, welcome has not come */
    CONNECTION_READY,        /* takes questions */
    CONNECTION_DRAINING,     /* goaway has come: open questions only */
};

/* Something small to say that nobody waits for: cancel, release, done. */
struct connection_note {
    enum wire_type type;
    uint64_t id;
    uint32_t did;
    bool is_patient; /* may wait for the next question, and travel with it */
};

struct connection {
    struct list node; /* in the context's draining connections */
    int fd;
    uint64_t serial; /* never twice in a context */
    enum connection_state state;
    uint64_t next_id;         /* of questions and queries */
    uint64_t next_content_id; /* of reservations */
    uint64_t next_stream_id;
    size_t n_in_flight; /* questions that were sent and wait for their answer */
    size_t n_abandoned; /* of those, nobody waits for any more */
    uint32_t max_inline_bytes;
    uint64_t max_content_bytes;
    size_t segment_bytes; /* of streams; 0: it knows none */
    size_t max_in_flight;
    bool done_in_ask; /* the broker reads what was done in a later question (SPEC 4.5) */
    bool wants_out;   /* epoll watches for room to write */
    struct connection_note notes[CONNECTION_NOTES_MAX];
    size_t n_notes;
    uint64_t patient_since_us; /* if one waits for a question */
};

/* Where to send what, and the memory to encode it in. */
struct connection_buffer {
    uint8_t bytes[WIRE_MESSAGE_BYTES_MAX];
};

/*
 * Connects to the first place that is there, and checks who listens. Returns a socket, -errno, or
 * CONNECTION_E_*. `ret_absence`: whether there is a socket at all.
 */
#define CONNECTION_E_NO_BROKER INT_MIN
MUST_CHECK int connection_socket(const struct place *place, const struct client_policy *policy,
                                 enum place_absence *ret_absence);

/* Makes a connection of a socket, which it owns then, even on failure. Returns 0 or -ENOMEM. */
MUST_CHECK int connection_new(struct connection **ret_connection, int fd, uint64_t serial);

/* Closes it, without a word. Accepts NULL. */
void connection_free(struct connection *connection);

/* Takes over what the broker allows. Returns false when it speaks no version of ours. */
bool connection_welcomed(struct connection *connection, const struct wire_welcome *welcome);

/*
 * Sends one message. Returns 0, -EAGAIN when there is no room, another -errno when the connection
 * is lost, or a positive WIRE_E_* for a message that cannot be encoded.
 */
MUST_CHECK int connection_send(struct connection *connection, enum wire_type type,
                               const void *message, struct connection_buffer *buffer);

/* Keeps something small to be sent with connection_flush(). The oldest is forgotten when there are
 * too many: all of them are courtesies. */
void connection_note(struct connection *connection, enum wire_type type, uint64_t id);

/* Keeps what was done about a question. If it is patient, and the broker reads it there, the next
 * question takes it along. */
void connection_note_done(struct connection *connection, uint64_t id, uint32_t did,
                          bool is_patient);

/* Puts the oldest note that may travel with a question into it; connection_told() once that was
 * sent. Without one, the question says nothing. */
void connection_tell(const struct connection *connection, struct wire_ask *ask);
void connection_told(struct connection *connection, const struct wire_ask *ask);

/* Since when some note waits for a question to travel with; UINT64_MAX: none does. */
uint64_t connection_patient_since_us(const struct connection *connection);

/* Sends what was noted and cannot wait, or `all` of it. Returns as connection_send(). */
MUST_CHECK int connection_flush(struct connection *connection, bool all,
                                struct connection_buffer *buffer);

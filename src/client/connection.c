/*
 * One socket to the broker: made, checked, greeted, spoken to, closed.
 *
 * Everything is sent without blocking, and every message whole or not at all (SOCK_SEQPACKET). The
 * one place that may wait is connect(2) when the broker's backlog is full, and it waits a quarter
 * of a second at most. Nothing here knows what a question is; that is exchange.c.
 */
#include "client/connection.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "client/peer.h"
#include "client/place.h"
#include "sys/clock.h"
#include "sys/packet.h"

/* Returns a socket or -errno. */
static int connect_to(const char *path)
{
    CLEANUP(closep) int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_usec = CONNECTION_CONNECT_MS * 1000};
    int r;

    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    /* connect(2) on a unix socket waits for room in the backlog as long as a send would. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0) {
        return -errno;
    }
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    do {
        r = connect(fd, (struct sockaddr *)&address, sizeof(address));
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        return -errno;
    }
    return TAKE_FD(fd);
}

int connection_socket(const struct place *place, const struct client_policy *policy,
                      enum place_absence *ret_absence)
{
    CLEANUP(closep) int fd = -1;
    struct peer peer;
    size_t i;
    int r = CONNECTION_E_NO_BROKER;

    *ret_absence = PLACE_IS_THERE;
    for (i = 0; i < place->n_sockets; i++) {
        r = connect_to(place->sockets[i]);
        if (r != -ENOENT && r != -ENOTDIR) {
            break; /* a service that is down is not replaced by another one */
        }
        r = CONNECTION_E_NO_BROKER;
    }
    if (r < 0) {
        if (r == CONNECTION_E_NO_BROKER) {
            *ret_absence = place_absence(place);
        }
        return r;
    }
    fd = r;
    r = peer_read(&peer, fd, place->sockets[i]);
    if (r < 0) {
        return r;
    }
    return peer_is_trusted(&peer, policy) ? TAKE_FD(fd) : -EPERM;
}

int connection_new(struct connection **ret_connection, int fd, uint64_t serial)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        closep(&fd);
        return -ENOMEM;
    }
    list_init(&connection->node);
    connection->fd = fd;
    connection->serial = serial;
    connection->state = CONNECTION_GREETING;
    connection->next_id = 1;
    connection->next_content_id = 1;
    connection->next_stream_id = 1;
    *ret_connection = connection;
    return 0;
}

void connection_free(struct connection *connection)
{
    if (connection) {
        list_remove(&connection->node);
        closep(&connection->fd);
        free(connection);
    }
}

bool connection_welcomed(struct connection *connection, const struct wire_welcome *welcome)
{
    if (welcome->version != WIRE_PROTOCOL_VERSION) {
        return false;
    }
    connection->max_inline_bytes = welcome->max_inline_bytes < WIRE_INLINE_BYTES_MAX
                                       ? welcome->max_inline_bytes
                                       : WIRE_INLINE_BYTES_MAX;
    connection->max_content_bytes = welcome->max_content_bytes;
    if (welcome->segment_bytes >= CONNECTION_SEGMENT_BYTES_MIN &&
        welcome->segment_bytes <= CONNECTION_SEGMENT_BYTES_MAX) {
        connection->segment_bytes = welcome->segment_bytes;
    }
    connection->max_in_flight = welcome->max_in_flight;
    if (connection->max_in_flight == 0) {
        connection->max_in_flight = 1;
    }
    if (connection->max_in_flight > CONNECTION_IN_FLIGHT_MAX) {
        connection->max_in_flight = CONNECTION_IN_FLIGHT_MAX;
    }
    connection->done_in_ask = welcome->done_in_ask == 1;
    connection->state = CONNECTION_READY;
    return true;
}

int connection_send(struct connection *connection, enum wire_type type, const void *message,
                    struct connection_buffer *buffer)
{
    size_t n_bytes;
    int r;

    r = wire_encode(type, message, buffer->bytes, sizeof(buffer->bytes), &n_bytes);
    if (r != 0) {
        return r;
    }
    return packet_send(connection->fd, buffer->bytes, n_bytes, -1);
}

static void keep_note(struct connection *connection, struct connection_note note)
{
    if (connection->n_notes == CONNECTION_NOTES_MAX) {
        connection->n_notes--;
        memmove(connection->notes, connection->notes + 1,
                connection->n_notes * sizeof(connection->notes[0]));
    }
    connection->notes[connection->n_notes++] = note;
}

void connection_note(struct connection *connection, enum wire_type type, uint64_t id)
{
    keep_note(connection, (struct connection_note){.type = type, .id = id});
}

/* The oldest note that waits for a question, or NULL. */
static const struct connection_note *patient_note(const struct connection *connection)
{
    for (size_t i = 0; i < connection->n_notes; i++) {
        if (connection->notes[i].is_patient) {
            return &connection->notes[i];
        }
    }
    return NULL;
}

void connection_note_done(struct connection *connection, uint64_t id, uint32_t did, bool is_patient)
{
    struct connection_note note = {.type = WIRE_TYPE_DONE, .id = id, .did = did};

    note.is_patient = is_patient && connection->done_in_ask;
    if (note.is_patient && !patient_note(connection)) {
        connection->patient_since_us = clock_now_us();
    }
    keep_note(connection, note);
}

uint64_t connection_patient_since_us(const struct connection *connection)
{
    return patient_note(connection) ? connection->patient_since_us : UINT64_MAX;
}

void connection_tell(const struct connection *connection, struct wire_ask *ask)
{
    const struct connection_note *note = patient_note(connection);

    ask->done_id = note ? note->id : 0;
    ask->did = note ? note->did : 0;
}

void connection_told(struct connection *connection, const struct wire_ask *ask)
{
    size_t n_kept = 0;

    for (size_t i = 0; ask->done_id != 0 && i < connection->n_notes; i++) {
        if (!connection->notes[i].is_patient || connection->notes[i].id != ask->done_id) {
            connection->notes[n_kept++] = connection->notes[i];
        }
    }
    connection->n_notes = ask->done_id != 0 ? n_kept : connection->n_notes;
}

static int send_note(struct connection *connection, const struct connection_note *note,
                     struct connection_buffer *buffer)
{
    struct wire_cancel cancel = {.id = note->id};
    struct wire_release release = {.content_id = note->id};
    struct wire_done done = {.id = note->id, .did = note->did};

    if (note->type == WIRE_TYPE_CANCEL) {
        return connection_send(connection, WIRE_TYPE_CANCEL, &cancel, buffer);
    }
    if (note->type == WIRE_TYPE_RELEASE) {
        return connection_send(connection, WIRE_TYPE_RELEASE, &release, buffer);
    }
    return connection_send(connection, WIRE_TYPE_DONE, &done, buffer);
}

int connection_flush(struct connection *connection, bool all, struct connection_buffer *buffer)
{
    bool keeps_patient = !all && connection->state == CONNECTION_READY &&
                         connection->n_notes <= CONNECTION_PATIENT_MAX;
    size_t n_kept = 0;
    int r = 0;

    for (size_t i = 0; i < connection->n_notes; i++) {
        const struct connection_note *note = &connection->notes[i];
        bool stays = r != 0 || (keeps_patient && note->is_patient);

        if (!stays) {
            r = send_note(connection, note, buffer);
            stays = r != 0;
        }
        if (stays) {
            connection->notes[n_kept++] = *note;
        }
    }
    connection->n_notes = n_kept;
    return r;
}

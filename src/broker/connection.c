/*
 * Clients' connections.
 *
 * A client's messages are received without a control buffer: no descriptor of its ever gets in here
 * (the kernel refuses it at the sender since Linux 6.16, pes-receiver keeps it away before that).
 * What a client does not read is kept for it within a quota; then it loses its connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/outgoing.h"
#include "broker/shell.h"
#include "ipc/receiver_channel.h"
#include "sys/packet.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define ACCEPTS_PER_WAKE 64

/* What keeping a message takes; its descriptor is charged from the reservation on. */
static size_t charge_of(const struct outgoing *outgoing)
{
    return sizeof(*outgoing) + outgoing->n_bytes;
}

static uint32_t free_handle(struct shell *shell)
{
    size_t n = shell->n_connections;
    struct connection *connections;

    for (uint32_t i = 1; i < n; i++) {
        if (shell->connections[i].fd < 0) {
            return i;
        }
    }
    connections = reallocarray(shell->connections, n + 64, sizeof(*connections));
    if (!connections) {
        return 0;
    }
    for (size_t i = n; i < n + 64; i++) {
        connections[i] = (struct connection){.fd = -1, .pidfd = -1};
    }
    shell->connections = connections;
    shell->n_connections = n + 64;
    return n ? (uint32_t)n : 1;
}

/* The admin socket's mode says the same; this holds whatever became of that. */
static bool may_connect(const struct shell *shell, const struct event_peer *peer)
{
    return !peer->is_admin || peer->uid == 0 || peer->uid + 1 == shell->core.owner_uid_plus_1;
}

/* Takes over a connection and the pidfd of its peer. */
static void open_connection(struct shell *shell, int connection_fd, int peer_pidfd,
                            const struct event_peer *peer)
{
    CLEANUP(closep) int fd = connection_fd;
    CLEANUP(closep) int pidfd = peer_pidfd;
    uint32_t handle = may_connect(shell, peer) ? free_handle(shell) : 0;
    uint32_t serial = shell_serial(shell);
    struct event event = {.type = EVENT_SESSION_OPENED, .session = handle, .peer = *peer};

    if (handle == 0 || shell_watch(shell, fd, TOKEN_CONNECTION, serial, handle) < 0) {
        return;
    }
    shell->connections[handle] = (struct connection){
        .fd = TAKE_FD(fd), .pidfd = TAKE_FD(pidfd), .pid = peer->pid, .serial = serial};
    shell->identity.n_waiting += shell->connections[handle].pidfd >= 0;
    shell_feed(shell, &event);
}

static int peer_pidfd(int fd, uint32_t pid)
{
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) {
        return pidfd;
    }
    /* Before Linux 6.5 all that is left is the pid, which may be another's by now. Any other error
     * means that whoever connected is gone: its pid is nobody's or, worse, somebody's. */
    return errno == ENOPROTOOPT ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
}

/* No descriptor left: take the connection with the spare one and close it, or it would wake us for
 * ever. */
static void shed(struct shell *shell, int listener)
{
    int fd;

    close(shell->spare_fd);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        close(fd);
    }
    shell->spare_fd = eventfd(0, EFD_CLOEXEC);
}

void connection_accept(struct shell *shell, int listener, bool is_admin)
{
    for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct event_peer peer = {.is_admin = is_admin};
        struct ucred cred;
        socklen_t size = sizeof(cred);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                shed(shell, listener);
            }
            return;
        }
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0) {
            close(fd);
            continue;
        }
        peer.uid = cred.uid;
        peer.gid = cred.gid;
        peer.pid = (uint32_t)cred.pid;
        open_connection(shell, fd, peer_pidfd(fd, peer.pid), &peer);
    }
}

void connection_take(struct shell *shell)
{
    struct receiver_connection message;
    int fds[2] = {-1, -1};
    ssize_t n = packet_receive_fds(shell->receiver_fd, &message, sizeof(message), fds, 2);
    struct event_peer peer;

    if (n == -EAGAIN || n == -EBADMSG) {
        return;
    }
    if (n != sizeof(message) || message.version != RECEIVER_CHANNEL_VERSION) {
        /* The receiver ended: the launcher will see to that; clients that are connected have their
         * own relays. */
        for (int i = 0; i < 2; i++) {
            if (fds[i] >= 0) {
                close(fds[i]);
            }
        }
        close(shell->receiver_fd);
        shell->receiver_fd = -1;
        return;
    }
    peer = (struct event_peer){.uid = message.uid,
                               .gid = message.gid,
                               .pid = message.pid,
                               .is_admin = message.is_admin != 0};
    open_connection(shell, fds[0], fds[1], &peer);
}

void connection_close(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];

    if (handle >= shell->n_connections || connection->fd < 0) {
        return;
    }
    close(connection->fd);
    identity_link_forget(shell, handle);
    while (connection->first) {
        struct outgoing *next = connection->first->next;

        outgoing_free(connection->first);
        connection->first = next;
    }
    *connection = (struct connection){.fd = -1, .pidfd = -1};
}

/* The peer is gone, as far as we can tell. */
static void lose(struct shell *shell, uint32_t handle)
{
    connection_close(shell, handle);
    shell_outcome(shell, EVENT_SESSION_CLOSED)->event.session = handle;
}

/* Gives back what was charged for descriptors that the client has read. */
static void settle_lent(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];
    struct event event = {.type = EVENT_SESSION_TAKEN, .session = handle};

    if (lent_tally_is_open(&connection->lent)) {
        event.n_fds = lent_tally_settle(&connection->lent, packet_unread_most(connection->fd));
        if (event.n_fds > 0) {
            shell_feed(shell, &event);
        }
    }
}

/* One message at a time, so that whoever has many connections or much to say delays the others by
 * one message per connection and not more. */
void connection_read(struct shell *shell, uint32_t handle)
{
    struct event event = {.type = EVENT_SESSION_MESSAGE, .session = handle, .bytes = shell->buffer};
    ssize_t n =
        packet_receive(shell->connections[handle].fd, shell->buffer, WIRE_MESSAGE_BYTES_MAX);

    if (n == -EAGAIN) {
        return;
    }
    if (n == 0 || (n < 0 && n != -EMSGSIZE)) {
        connection_close(shell, handle);
        event.type = EVENT_SESSION_CLOSED;
    } else {
        /* Too long a message is gone; the empty one in its place breaks the protocol all the
         * same. */
        event.n_bytes = n < 0 ? 0 : (size_t)n;
        settle_lent(shell, handle);
    }
    shell_feed(shell, &event);
}

/* After sending: waits for what it failed for. False when the connection was lost over it. */
static bool wait_for_room(struct shell *shell, uint32_t handle, int error)
{
    struct connection *connection = &shell->connections[handle];
    struct epoll_event watch = {
        .events = EPOLLIN | (error == -EAGAIN ? (uint32_t)EPOLLOUT : 0),
        .data.u64 = (uint64_t)TOKEN_CONNECTION << 56 | (uint64_t)connection->serial << 32 | handle,
    };

    if (error != 0 && error != -EAGAIN) {
        shell_retry(shell); /* the socket would say at once that it has room */
    }
    if (epoll_ctl(shell->epoll_fd, EPOLL_CTL_MOD, connection->fd, &watch) < 0) {
        lose(shell, handle);
        return false;
    }
    return true;
}

static int send_now(struct connection *connection, const uint8_t *bytes, size_t n_bytes, int fd)
{
    int r = packet_send(connection->fd, bytes, n_bytes, fd);

    if (r == 0) {
        lent_tally_add(&connection->lent, fd >= 0);
    }
    return r;
}

/* Keeps a message that could not be sent. */
static void keep(struct shell *shell, uint32_t handle, struct outgoing *outgoing, int error)
{
    struct connection *connection = &shell->connections[handle];
    struct outcome *outcome;

    if (connection->first) {
        connection->last->next = outgoing;
        connection->last = outgoing;
    } else {
        connection->first = connection->last = outgoing;
        if (!wait_for_room(shell, handle, error)) {
            return; /* and the message with it */
        }
    }
    outcome = shell_outcome(shell, EVENT_SESSION_QUEUED);
    outcome->event.session = handle;
    outcome->event.n_bytes = charge_of(outgoing);
}

void connection_send(struct shell *shell, const struct action *action)
{
    struct connection *connection = &shell->connections[action->session];
    const uint8_t *bytes = shell->actions.bytes + action->message;
    const struct memory *memory = memory_get(shell, action->content);
    int content_fd = memory->n_fds == 1 ? memory->fds[0] : -1;
    struct outgoing *outgoing = NULL;
    int r = -EAGAIN;

    if (connection->fd < 0) {
        return;
    }
    if (!connection->first) {
        r = send_now(connection, bytes, action->n_message, content_fd);
    }
    if (packet_must_wait(r)) {
        outgoing = outgoing_new(bytes, action->n_message, memory->fds, memory->n_fds);
    }
    if (outgoing) {
        keep(shell, action->session, outgoing, r);
    } else if (r < 0) {
        lose(shell, action->session);
    }
}

void connection_flush(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];
    struct event event = {.type = EVENT_SESSION_FLUSHED, .session = handle};
    int r = 0;

    while (connection->first) {
        struct outgoing *outgoing = connection->first;

        r = send_now(connection, outgoing->bytes, outgoing->n_bytes,
                     outgoing->n_fds > 0 ? outgoing->fds[0] : -1);
        if (r < 0) {
            break;
        }
        connection->first = outgoing->next;
        event.n_bytes += charge_of(outgoing);
        outgoing_free(outgoing);
    }
    if (r < 0 && !packet_must_wait(r)) {
        connection_close(shell, handle);
        event.type = EVENT_SESSION_CLOSED;
    } else {
        (void)wait_for_room(shell, handle, r);
    }
    shell_feed(shell, &event);
}

void connection_retry(struct shell *shell)
{
    for (uint32_t i = 1; i < shell->n_connections; i++) {
        if (shell->connections[i].fd >= 0 && shell->connections[i].first) {
            connection_flush(shell, i);
        }
    }
}

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

#include "broker/shell.h"
#include "ipc/receiver_channel.h"
#include "sys/packet.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define ACCEPTS_PER_WAKE 64

/* A descriptor that waits to be sent is charged like so many bytes. */
#define CHARGE_OF_FD (16u << 10)

struct outgoing {
    struct outgoing *next;
    int fd; /* owned, or -1 */
    size_t n_bytes;
    uint8_t bytes[];
};

/* What keeping it takes. */
static size_t charge_of(const struct outgoing *outgoing)
{
    return sizeof(*outgoing) + outgoing->n_bytes + (outgoing->fd >= 0 ? CHARGE_OF_FD : 0);
}

static void outgoing_free(struct outgoing *outgoing)
{
    if (outgoing->fd >= 0) {
        close(outgoing->fd);
    }
    free(outgoing);
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

/* Takes over a connection and the pidfd of its peer. */
static void open_connection(struct shell *shell, int connection_fd, int peer_pidfd,
                            const struct event_peer *peer)
{
    CLEANUP(closep) int fd = connection_fd;
    CLEANUP(closep) int pidfd = peer_pidfd;
    uint32_t handle = free_handle(shell);
    uint32_t serial = shell_serial(shell);
    struct event event = {.type = EVENT_SESSION_OPENED, .session = handle, .peer = *peer};

    if (handle == 0 || shell_watch(shell, fd, TOKEN_CONNECTION, serial, handle) < 0) {
        return;
    }
    shell->connections[handle] = (struct connection){
        .fd = TAKE_FD(fd), .pidfd = TAKE_FD(pidfd), .pid = peer->pid, .serial = serial};
    shell_feed(shell, &event);
}

static int peer_pidfd(int fd, uint32_t pid)
{
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) {
        return pidfd;
    }
    /* Before Linux 6.5: the pid may have been given to another process since; identity looks at its
     * start time. */
    return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
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
        if (is_admin && cred.uid != 0 && cred.uid + 1 != shell->core.owner_uid_plus_1) {
            close(fd);
            continue;
        }
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
    peer = (struct event_peer){.uid = message.uid, .gid = message.gid, .pid = message.pid};
    open_connection(shell, fds[0], fds[1], &peer);
}

void connection_close(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];

    if (handle >= shell->n_connections || connection->fd < 0) {
        return;
    }
    close(connection->fd);
    if (connection->pidfd >= 0) {
        close(connection->pidfd);
    }
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
    }
    shell_feed(shell, &event);
}

static void watch_for_room(struct shell *shell, uint32_t handle, bool wanted)
{
    struct connection *connection = &shell->connections[handle];
    struct epoll_event watch = {
        .events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0),
        .data.u64 = (uint64_t)TOKEN_CONNECTION << 56 | (uint64_t)connection->serial << 32 | handle,
    };

    if (epoll_ctl(shell->epoll_fd, EPOLL_CTL_MOD, connection->fd, &watch) < 0) {
        lose(shell, handle);
    }
}

/* Keeps a message until the client reads. */
static void keep(struct shell *shell, uint32_t handle, const uint8_t *bytes, size_t n_bytes,
                 int content_fd)
{
    struct connection *connection = &shell->connections[handle];
    struct outgoing *outgoing = malloc(sizeof(*outgoing) + n_bytes);
    struct outcome *outcome;

    if (!outgoing) {
        lose(shell, handle);
        return;
    }
    *outgoing = (struct outgoing){.fd = -1, .n_bytes = n_bytes};
    memcpy(outgoing->bytes, bytes, n_bytes);
    if (content_fd >= 0) {
        outgoing->fd = fcntl(content_fd, F_DUPFD_CLOEXEC, 3);
        if (outgoing->fd < 0) {
            free(outgoing);
            lose(shell, handle);
            return;
        }
    }
    if (connection->first) {
        connection->last->next = outgoing;
    } else {
        connection->first = outgoing;
        watch_for_room(shell, handle, true);
    }
    connection->last = outgoing;
    outcome = shell_outcome(shell, EVENT_SESSION_QUEUED);
    outcome->event.session = handle;
    outcome->event.n_bytes = charge_of(outgoing);
}

void connection_send(struct shell *shell, const struct action *action)
{
    struct connection *connection = &shell->connections[action->session];
    const uint8_t *bytes = shell->actions.bytes + action->message;
    int content_fd = action->content ? memory_fd(shell, action->content) : -1;
    int r = -EAGAIN;

    if (connection->fd < 0) {
        return;
    }
    if (!connection->first) {
        r = packet_send(connection->fd, bytes, action->n_message, content_fd);
    }
    if (r == -EAGAIN) {
        keep(shell, action->session, bytes, action->n_message, content_fd);
    } else if (r < 0) {
        lose(shell, action->session);
    }
}

void connection_flush(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];
    struct event event = {.type = EVENT_SESSION_FLUSHED, .session = handle};

    while (connection->first) {
        struct outgoing *outgoing = connection->first;
        int r = packet_send(connection->fd, outgoing->bytes, outgoing->n_bytes, outgoing->fd);

        if (r == -EAGAIN) {
            break;
        }
        if (r < 0) {
            connection_close(shell, handle);
            event.type = EVENT_SESSION_CLOSED;
            shell_feed(shell, &event);
            return;
        }
        connection->first = outgoing->next;
        event.n_bytes += charge_of(outgoing);
        outgoing_free(outgoing);
    }
    if (!connection->first) {
        watch_for_room(shell, handle, false);
    }
    shell_feed(shell, &event);
}

/* ------------------------------------------------------------------------------------- identity */

void connection_identify(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];
    const struct identity_query query = {
        .version = IDENTITY_CHANNEL_VERSION,
        .pid = connection->pid,
        /* The serial keeps an answer for one client from reaching the next on the same handle. */
        .session = (uint64_t)connection->serial << 32 | handle,
    };
    int r = packet_send(shell->identity_fd, &query, sizeof(query), connection->pidfd);
    struct outcome *outcome;

    if (connection->pidfd >= 0) {
        close(connection->pidfd);
        connection->pidfd = -1;
    }
    if (r == 0) {
        return;
    }
    outcome = shell_outcome(shell, EVENT_IDENTITY);
    outcome->event.session = handle;
    outcome->identity = calloc(1, sizeof(*outcome->identity));
    if (!outcome->identity) {
        shell->actions.is_broken = true;
        return;
    }
    outcome->identity->error = r;
}

void connection_identified(struct shell *shell)
{
    struct identity_record record;
    struct event event = {.type = EVENT_IDENTITY, .identity = &record};
    ssize_t n = packet_receive(shell->identity_fd, &record, sizeof(record));
    uint32_t handle, serial;

    if (n == -EAGAIN) {
        return;
    }
    if (n != sizeof(record) || record.version != IDENTITY_CHANNEL_VERSION) {
        epoll_ctl(shell->epoll_fd, EPOLL_CTL_DEL, shell->identity_fd, NULL);
        return;
    }
    handle = (uint32_t)record.session;
    serial = (uint32_t)(record.session >> 32);
    if (handle >= shell->n_connections || shell->connections[handle].serial != serial) {
        return;
    }
    record.exe_path[sizeof(record.exe_path) - 1] = '\0';
    record.cgroup[sizeof(record.cgroup) - 1] = '\0';
    record.lsm_label[sizeof(record.lsm_label) - 1] = '\0';
    event.session = handle;
    shell_feed(shell, &event);
}

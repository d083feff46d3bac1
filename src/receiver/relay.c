/*
 * One connection's relay.
 *
 * It holds at most one message per direction and takes the next only when that one is gone: a peer
 * that doesn't read stops the other, as it would without a relay, and nothing piles up here. A
 * message that is too long is passed on cut to one byte over the limit, so that the broker refuses
 * it in its own words. Descriptors that a client sends are dropped by the kernel on receiving
 * (there is no control buffer), which may block for long: here that hurts this client alone.
 *
 * Of the broker's descriptors one at a time is in a client's socket: all relays share one user's
 * budget of those, and the broker, which counts what clients have not read, sees no further than to
 * here. Nobody says when a client has read, so that is looked at again and again, ever more rarely.
 */
#include "receiver/relay.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sys/packet.h"

/* The protocol's longest message, and one byte to show that it was longer. */
#define MESSAGE_BYTES_MAX 65536

#define LOOK_AGAIN_MS     1
#define LOOK_AGAIN_MS_MAX 64

struct direction {
    size_t n_bytes;    /* 0: nothing held */
    int fd;            /* held with it, or -1 */
    int look_again_ms; /* how long until it is tried again; 0: as soon as there is room */
    bool has_lent;     /* a descriptor went out and has not been seen to arrive */
    uint8_t bytes[MESSAGE_BYTES_MAX + 1];
};

struct relay {
    int client;
    int broker;
    struct direction up;   /* client to broker */
    struct direction down; /* broker to client */
};

enum outcome {
    RELAY_E_CLOSED = 1, /* a side has closed */
};

static bool is_closed(ssize_t n)
{
    return n == 0 || n == -ECONNRESET || n == -EPIPE;
}

static int take_up(struct relay *relay)
{
    ssize_t n = packet_receive(relay->client, relay->up.bytes, sizeof(relay->up.bytes));

    if (n == -EMSGSIZE) {
        n = sizeof(relay->up.bytes); /* the buffer holds its beginning */
    }
    if (n == -EAGAIN) {
        return 0;
    }
    if (is_closed(n)) {
        return RELAY_E_CLOSED;
    }
    if (n < 0) {
        return (int)n;
    }
    relay->up.n_bytes = (size_t)n;
    return 0;
}

static int take_down(struct relay *relay)
{
    ssize_t n =
        packet_receive_fd(relay->broker, relay->down.bytes, MESSAGE_BYTES_MAX, &relay->down.fd);

    if (n == -ECONNRESET) {
        /* It closed with something of ours unread; that is told once, before what it said last. */
        n = packet_receive_fd(relay->broker, relay->down.bytes, MESSAGE_BYTES_MAX, &relay->down.fd);
    }
    if (n == -EAGAIN) {
        return 0;
    }
    if (is_closed(n)) {
        return RELAY_E_CLOSED;
    }
    if (n < 0) {
        return (int)n;
    }
    relay->down.n_bytes = (size_t)n;
    return 0;
}

/* Sends what is held, unless its descriptor has to wait for the one before. */
static int try_send(struct direction *direction, int socket)
{
    if (direction->fd >= 0 && direction->has_lent && packet_unread_most(socket) > 0) {
        return -ETOOMANYREFS;
    }
    return packet_send(socket, direction->bytes, direction->n_bytes, direction->fd);
}

static int pass_on(struct direction *direction, int socket)
{
    int r = try_send(direction, socket);

    if (r == -EAGAIN) {
        direction->look_again_ms = 0;
        return 0;
    }
    if (packet_must_wait(r)) { /* the socket has room, and would say so without end */
        int next_ms = direction->look_again_ms * 2;

        direction->look_again_ms = next_ms == 0                  ? LOOK_AGAIN_MS
                                   : next_ms > LOOK_AGAIN_MS_MAX ? LOOK_AGAIN_MS_MAX
                                                                 : next_ms;
        return 0;
    }
    if (r < 0) {
        return is_closed(r) ? RELAY_E_CLOSED : r;
    }
    direction->has_lent = direction->has_lent || direction->fd >= 0;
    direction->look_again_ms = 0;
    closep(&direction->fd);
    direction->fd = -1;
    direction->n_bytes = 0;
    return 0;
}

/* What is waited for: room for what is held, something new otherwise. A socket of which nothing is
 * wanted is left out, or its hang-up would be told without end. */
static struct pollfd wanted(int socket, const struct direction *in, const struct direction *out)
{
    bool wants_room = out->n_bytes > 0 && out->look_again_ms == 0;
    short events = (in->n_bytes == 0 ? POLLIN : 0) | (wants_room ? POLLOUT : 0);

    return (struct pollfd){.fd = events ? socket : -1, .events = events};
}

static bool may_pass_on(const struct direction *direction, short revents)
{
    return direction->n_bytes > 0 &&
           (direction->look_again_ms > 0 || (revents & (POLLOUT | POLLHUP | POLLERR)));
}

static int wait_ms(const struct relay *relay)
{
    int up_ms = relay->up.look_again_ms, down_ms = relay->down.look_again_ms;

    return up_ms == 0                        ? (down_ms > 0 ? down_ms : -1)
           : down_ms == 0 || up_ms < down_ms ? up_ms
                                             : down_ms;
}

static int step(struct relay *relay)
{
    struct pollfd fds[2] = {
        wanted(relay->client, &relay->up, &relay->down),
        wanted(relay->broker, &relay->down, &relay->up),
    };
    int r = 0;

    if (poll(fds, 2, wait_ms(relay)) < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (may_pass_on(&relay->up, fds[1].revents)) {
        r = pass_on(&relay->up, relay->broker);
        if (r == RELAY_E_CLOSED) {
            relay->up.n_bytes = 0; /* nobody is there to hear it; what was said last comes below */
            r = 0;
        }
    }
    if (r == 0 && may_pass_on(&relay->down, fds[0].revents)) {
        r = pass_on(&relay->down, relay->client);
    }
    if (r == 0 && relay->up.n_bytes == 0 && (fds[0].revents & (POLLIN | POLLHUP | POLLERR))) {
        r = take_up(relay);
    }
    if (r == 0 && relay->down.n_bytes == 0 && (fds[1].revents & (POLLIN | POLLHUP | POLLERR))) {
        r = take_down(relay);
    }
    return r;
}

/* The broker may have said why it closes. */
static void pass_last_words(struct relay *relay)
{
    while (relay->down.n_bytes > 0 || take_down(relay) == 0) {
        if (relay->down.n_bytes == 0 || pass_on(&relay->down, relay->client) != 0 ||
            relay->down.n_bytes > 0) {
            return; /* nothing more, or the client does not take it */
        }
    }
}

int relay_run(int client, int broker)
{
    static struct relay relay; /* large; a process runs one */
    int r = 0;

    relay =
        (struct relay){.client = client, .broker = broker, .up = {.fd = -1}, .down = {.fd = -1}};
    while (r == 0) {
        r = step(&relay);
    }
    if (r == RELAY_E_CLOSED) {
        pass_last_words(&relay);
    }
    closep(&relay.down.fd);
    return r == RELAY_E_CLOSED ? 0 : r;
}

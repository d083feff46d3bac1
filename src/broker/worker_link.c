/*
 * Channels to inits and workers.
 *
 * The broker makes each worker's channel and hands one end to init, with the word to fork. Killing
 * closes our end at once: whatever the worker may still say is not heard. Nothing that comes from a
 * provider carries a descriptor. When too many of ours are on their way to somebody, what carries
 * one waits here a little: that is no fault of the provider's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "broker/outgoing.h"
#include "broker/shell.h"
#include "sys/packet.h"

uint32_t instance_link_new(struct shell *shell, int fd)
{
    uint32_t handle = 0, serial = shell_serial(shell);
    struct instance_link *link;

    for (uint32_t i = 1; i < shell->n_instances && handle == 0; i++) {
        handle = shell->instances[i].fd < 0 ? i : 0;
    }
    if (handle == 0) {
        size_t n = shell->n_instances ? shell->n_instances : 1;
        struct instance_link *links = reallocarray(shell->instances, n + 1, sizeof(*links));

        if (!links) {
            close(fd);
            return 0;
        }
        shell->instances = links;
        shell->n_instances = n + 1;
        handle = (uint32_t)n;
    }
    link = &shell->instances[handle];
    *link = (struct instance_link){.fd = -1, .serial = serial};
    for (size_t i = 0; i < PROVIDER_SLOTS_MAX; i++) {
        link->workers[i].fd = -1;
    }
    if (shell_watch(shell, fd, TOKEN_INIT, serial, handle) < 0) {
        close(fd);
        return 0;
    }
    link->fd = fd;
    return handle;
}

static void close_worker(struct worker_link *worker)
{
    if (worker->fd >= 0) {
        close(worker->fd);
        worker->fd = -1;
    }
    outgoing_free(TAKE_PTR(worker->spawn));
    outgoing_free(TAKE_PTR(worker->scan));
}

struct parcel {
    const void *bytes;
    size_t n_bytes;
    const int *fds;
    size_t n_fds;
};

/* Sends, or keeps the message for later in an empty `waiting`. */
static int send_or_wait(struct shell *shell, int socket, const struct parcel *parcel,
                        struct outgoing **waiting)
{
    int r = packet_send_fds(socket, parcel->bytes, parcel->n_bytes, parcel->fds, parcel->n_fds);

    if (r != -ETOOMANYREFS && r != -ENOBUFS) {
        return r;
    }
    *waiting = outgoing_new(parcel->bytes, parcel->n_bytes, parcel->fds, parcel->n_fds);
    shell_retry(shell);
    return *waiting ? 0 : -ENOMEM;
}

static struct init_command command_of(enum init_command_type type, const struct action *action)
{
    return (struct init_command){
        .version = INIT_CHANNEL_VERSION,
        .type = type,
        .slot = action ? action->slot : 0,
        .generation = action ? action->generation : 0,
    };
}

static int command(const struct instance_link *link, enum init_command_type type,
                   const struct action *action)
{
    const struct init_command message = command_of(type, action);

    return packet_send(link->fd, &message, sizeof(message), -1);
}

void instance_link_stop(struct shell *shell, uint32_t handle)
{
    struct instance_link *link = &shell->instances[handle];

    if (handle < shell->n_instances && link->fd >= 0) {
        /* If it cannot hear, the closed channel tells it. */
        (void)!command(link, INIT_STOP, NULL);
        instance_link_close(shell, handle);
    }
}

void instance_link_close(struct shell *shell, uint32_t handle)
{
    struct instance_link *link = &shell->instances[handle];

    if (link->fd < 0) {
        return;
    }
    for (size_t i = 0; i < PROVIDER_SLOTS_MAX; i++) {
        close_worker(&link->workers[i]);
    }
    close(link->fd);
    link->fd = -1;
    link->serial = 0;
}

/* Init does not read its orders, or is gone: the whole instance is of no use. */
static void give_up(struct shell *shell, uint32_t handle)
{
    shell_outcome(shell, EVENT_INIT_CLOSED)->event.instance = handle;
}

static int spawn(struct shell *shell, struct instance_link *link, const struct action *action)
{
    const struct init_command message = command_of(INIT_SPAWN, action);
    struct worker_link *worker = &link->workers[action->slot];
    int fds[2], r;

    r = packet_pair(fds);
    if (r < 0) {
        return r;
    }
    close_worker(worker);
    *worker = (struct worker_link){
        .fd = fds[0], .serial = shell_serial(shell), .generation = action->generation};
    r = shell_watch(shell, fds[0], TOKEN_WORKER, worker->serial,
                    action->instance << 8 | action->slot);
    if (r == 0) {
        const struct parcel parcel = {&message, sizeof(message), &fds[1], 1};

        r = send_or_wait(shell, link->fd, &parcel, &worker->spawn);
    }
    close(fds[1]);
    if (r < 0) {
        close_worker(worker);
    }
    return r;
}

/* As if init could not fork. */
static void not_spawned(struct shell *shell, const struct action *action, int error)
{
    struct outcome *outcome = shell_outcome(shell, EVENT_INIT);

    outcome->event.instance = action->instance;
    outcome->init = (struct init_event){
        .version = INIT_CHANNEL_VERSION,
        .type = INIT_EXITED,
        .slot = action->slot,
        .how = INIT_EXIT_NEVER,
        .value = -error,
        .generation = action->generation,
    };
}

void worker_link_spawn(struct shell *shell, const struct action *action)
{
    struct instance_link *link = &shell->instances[action->instance];
    int r;

    if (link->fd < 0) {
        return;
    }
    r = spawn(shell, link, action);
    if (r == -EPIPE || r == -EAGAIN || r == -ECONNRESET) {
        give_up(shell, action->instance);
    } else if (r < 0) {
        not_spawned(shell, action, r); /* out of descriptors, most likely */
    }
}

static void lost_worker(struct shell *shell, uint32_t instance, uint32_t slot, uint64_t generation)
{
    struct outcome *outcome = shell_outcome(shell, EVENT_WORKER_CLOSED);

    outcome->event.instance = instance;
    outcome->event.slot = slot;
    outcome->event.generation = generation;
}

void worker_link_send(struct shell *shell, const struct action *action)
{
    struct instance_link *link = &shell->instances[action->instance];
    struct worker_link *worker = &link->workers[action->slot];
    const struct memory *memory = memory_get(shell, action->content);
    const struct parcel parcel = {shell->actions.bytes + action->message, action->n_message,
                                  memory->fds, memory->n_fds};

    if (link->fd < 0 || worker->fd < 0 || worker->generation != action->generation ||
        send_or_wait(shell, worker->fd, &parcel, &worker->scan) < 0) {
        lost_worker(shell, action->instance, action->slot, action->generation);
    }
}

void worker_link_close(struct shell *shell, const struct action *action)
{
    struct instance_link *link = &shell->instances[action->instance];
    struct worker_link *worker = &link->workers[action->slot];

    if (link->fd >= 0 && worker->generation == action->generation) {
        close_worker(worker);
    }
}

void worker_link_kill(struct shell *shell, const struct action *action)
{
    struct instance_link *link = &shell->instances[action->instance];

    if (link->fd < 0) {
        return;
    }
    if (link->workers[action->slot].spawn &&
        link->workers[action->slot].generation == action->generation) {
        worker_link_close(shell, action);
        not_spawned(shell, action, -ECANCELED); /* init has not heard of it */
        return;
    }
    worker_link_close(shell, action);
    if (command(link, INIT_KILL, action) < 0) {
        give_up(shell, action->instance);
    }
}

/* Sends what waits. Returns 0 when it went out or has to wait on. */
static int send_waiting(struct shell *shell, int socket, struct outgoing **waiting)
{
    int r = packet_send_fds(socket, (*waiting)->bytes, (*waiting)->n_bytes, (*waiting)->fds,
                            (*waiting)->n_fds);

    if (packet_must_wait(r)) {
        shell_retry(shell);
        return 0;
    }
    outgoing_free(TAKE_PTR(*waiting));
    return r;
}

static void retry_worker(struct shell *shell, uint32_t handle, uint32_t slot)
{
    struct instance_link *link = &shell->instances[handle];
    struct worker_link *worker = &link->workers[slot];

    if (worker->spawn && send_waiting(shell, link->fd, &worker->spawn) < 0) {
        give_up(shell, handle);
    }
    if (worker->scan && send_waiting(shell, worker->fd, &worker->scan) < 0) {
        lost_worker(shell, handle, slot, worker->generation);
    }
}

void worker_link_retry(struct shell *shell)
{
    for (uint32_t i = 1; i < shell->n_instances; i++) {
        for (uint32_t slot = 0; shell->instances[i].fd >= 0 && slot < PROVIDER_SLOTS_MAX; slot++) {
            retry_worker(shell, i, slot);
        }
    }
    shell_feed_outcomes(shell);
}

void worker_link_read(struct shell *shell, uint32_t handle, uint32_t slot)
{
    struct worker_link *worker = &shell->instances[handle].workers[slot];
    struct event event = {
        .type = EVENT_WORKER_MESSAGE,
        .instance = handle,
        .slot = slot,
        .generation = worker->generation,
        .bytes = shell->buffer,
    };
    ssize_t n = packet_receive(worker->fd, shell->buffer, WIRE_RESULT_BYTES_MAX + 1);

    if (n == -EAGAIN) {
        return;
    }
    if (n == 0 || (n < 0 && n != -EMSGSIZE)) {
        event.type = EVENT_WORKER_CLOSED;
        close_worker(worker);
    } else {
        event.n_bytes = n < 0 ? 0 : (size_t)n; /* too long: what is not a message is no answer */
    }
    shell_feed(shell, &event);
}

void instance_link_read(struct shell *shell, uint32_t handle)
{
    struct {
        struct init_event head;
        uint8_t payload[INIT_PAYLOAD_BYTES_MAX];
    } message;
    struct event event = {
        .type = EVENT_INIT, .instance = handle, .init = &message.head, .bytes = message.payload};
    ssize_t n = packet_receive(shell->instances[handle].fd, &message, sizeof(message));

    if (n == -EAGAIN) {
        return;
    }
    if (n < (ssize_t)sizeof(message.head) || message.head.version != INIT_CHANNEL_VERSION ||
        message.head.n_payload != (size_t)n - sizeof(message.head)) {
        event.type = EVENT_INIT_CLOSED;
    } else {
        event.n_bytes = message.head.n_payload;
    }
    shell_feed(shell, &event);
}

/*
 * Messages between launcher and broker, as frames of the registry over one SOCK_SEQPACKET channel.
 *
 * Sending never blocks: what the socket doesn't take waits here in order, descriptors included, up
 * to a bound that only a broker which stopped reading can reach. The broker is a process that
 * strangers' bytes reach, so what it says is decoded like a stranger's: a message that is not
 * allowed here ends the channel. It can make the launcher stop a generation, nothing else.
 */
#include "launcher/broker_link.h"

#include <string.h>
#include <sys/epoll.h>

#include "base/list.h"
#include "sys/packet.h"
#include "wire/codec.h"

#define QUEUE_MAX 256

/* The longest reason or note that a message takes. */
#define REASON_BYTES_MAX 512

struct letter {
    struct list node;
    int fd;
    size_t n_bytes;
    uint8_t bytes[];
};

struct broker_link {
    int fd;
    sd_event_source *source;
    struct list queue; /* of struct letter */
    size_t n_queue;
    bool is_broken;
    struct broker_link *beside; /* told the same; or NULL */
    const struct broker_link_handlers *handlers;
    void *userdata;
};

static void letter_free(struct letter *letter)
{
    list_remove(&letter->node);
    closep(&letter->fd);
    free(letter);
}

static void break_link(struct broker_link *link, const char *why)
{
    if (!link->is_broken) {
        link->is_broken = true;
        (void)sd_event_source_set_enabled(link->source, SD_EVENT_OFF);
        link->handlers->on_broken(link->userdata, why);
    }
}

/* ------------------------------------------------------------------------------------ receiving */

static void take_frame(struct broker_link *link, const struct wire_frame *frame)
{
    char name[65];

    if (frame->type == WIRE_TYPE_READY) {
        link->handlers->on_ready(link->userdata, &frame->ready);
    } else if (frame->type == WIRE_TYPE_RETIRE && frame->retire.name.size < sizeof(name)) {
        memcpy(name, frame->retire.name.data, frame->retire.name.size);
        name[frame->retire.name.size] = '\0';
        link->handlers->on_retire(link->userdata, name, frame->retire.generation);
    } else {
        break_link(link, "it sent a message that is not its to send");
    }
}

/* The broker is gone: its exit tells the rest. */
static void close_down(struct broker_link *link)
{
    link->is_broken = true;
    (void)sd_event_source_set_enabled(link->source, SD_EVENT_OFF);
}

static void receive(struct broker_link *link)
{
    static struct wire_frame frame; /* large; the launcher has one thread */
    uint8_t bytes[1024];
    struct wire_fault fault;
    ssize_t n = packet_receive(link->fd, bytes, sizeof(bytes));

    if (n == -EAGAIN) {
        return;
    }
    if (n == 0 || n == -ECONNRESET) {
        close_down(link);
        return;
    }
    if (n < 0) {
        break_link(link, n == -EMSGSIZE ? "its message is too long" : strerror((int)-n));
        return;
    }
    if (wire_decode(&frame, bytes, (size_t)n, &fault) != 0) {
        break_link(link, "it sent something that is no message");
        return;
    }
    take_frame(link, &frame);
}

/* -------------------------------------------------------------------------------------- sending */

static void flush(struct broker_link *link)
{
    while (!link->is_broken && !list_is_empty(&link->queue)) {
        struct letter *letter = CONTAINER_OF(link->queue.next, struct letter, node);
        int r = packet_send(link->fd, letter->bytes, letter->n_bytes, letter->fd);

        if (r == -EAGAIN || r == -ENOBUFS || r == -ETOOMANYREFS) {
            break;
        }
        if (r == -EPIPE || r == -ECONNRESET) {
            close_down(link);
            return;
        }
        if (r < 0) {
            break_link(link, strerror(-r));
            return;
        }
        link->n_queue--;
        letter_free(letter);
    }
    if (!link->is_broken) {
        (void)sd_event_source_set_io_events(
            link->source, list_is_empty(&link->queue) ? EPOLLIN : EPOLLIN | EPOLLOUT);
    }
}

static void send_message(struct broker_link *link, enum wire_type type, const void *message,
                         int take_fd)
{
    CLEANUP(closep) int fd = take_fd;
    static uint8_t bytes[WIRE_MESSAGE_BYTES_MAX];
    struct letter *letter;
    size_t n_bytes;

    if (!link || link->is_broken) {
        return;
    }
    if (wire_encode(type, message, bytes, sizeof(bytes), &n_bytes) != 0) {
        break_link(link, "our own message does not fit"); /* a fault of ours; a new start helps */
        return;
    }
    if (link->n_queue == QUEUE_MAX) {
        break_link(link, "it does not read what it is told");
        return;
    }
    letter = malloc(sizeof(*letter) + n_bytes);
    if (!letter) {
        break_link(link, "no memory for a message");
        return;
    }
    *letter = (struct letter){.fd = TAKE_FD(fd), .n_bytes = n_bytes};
    memcpy(letter->bytes, bytes, n_bytes);
    list_append(&link->queue, &letter->node);
    link->n_queue++;
    flush(link);
}

static void send_to_both(struct broker_link *link, enum wire_type type, const void *message)
{
    send_message(link, type, message, -1);
    send_message(broker_link_beside(link), type, message, -1);
}

/* Text for a message, cut to what it takes, not within a character. */
static struct wire_bytes cut(const char *text, size_t n_max)
{
    struct wire_bytes bytes = wire_text(text);

    if (bytes.size > n_max) {
        bytes.size = n_max;
        while (bytes.size > 0 && (bytes.data[bytes.size] & 0xc0) == 0x80) {
            bytes.size--;
        }
    }
    return bytes;
}

void broker_link_set_beside(struct broker_link *link, struct broker_link *beside)
{
    if (!link) {
        return;
    }
    if (link->beside) {
        link->beside->beside = NULL;
    }
    link->beside = beside;
    if (beside) {
        beside->beside = link;
    }
}

struct broker_link *broker_link_beside(struct broker_link *link)
{
    return link ? link->beside : NULL;
}

void broker_link_configure(struct broker_link *link, const struct wire_configure *message)
{
    send_to_both(link, WIRE_TYPE_CONFIGURE, message);
}

void broker_link_instance(struct broker_link *link, const char *name, uint64_t generation,
                          bool is_restored, bool is_accepted, int fd)
{
    struct wire_instance message = {
        .name = wire_text(name),
        .generation = generation,
        .is_restored = is_restored ? 1 : 0,
        .is_accepted = is_accepted ? 1 : 0,
    };

    send_message(link, WIRE_TYPE_INSTANCE, &message, fd);
}

void broker_link_instance_lost(struct broker_link *link, const char *name, uint64_t generation,
                               const char *reason, uint32_t retry_in_ms)
{
    struct wire_instance_lost message = {
        .name = wire_text(name),
        .generation = generation,
        .reason = cut(reason, REASON_BYTES_MAX),
        .retry_in_ms = retry_in_ms,
    };

    send_to_both(link, WIRE_TYPE_INSTANCE_LOST, &message);
}

void broker_link_makes_room(struct broker_link *link, const char *name, uint64_t generation,
                            const char *reason)
{
    struct wire_instance_lost message = {
        .name = wire_text(name),
        .generation = generation,
        .reason = cut(reason, REASON_BYTES_MAX),
        .retry_in_ms = 1,
        .makes_room = 1,
    };

    send_to_both(link, WIRE_TYPE_INSTANCE_LOST, &message);
}

void broker_link_config_note(struct broker_link *link, const char *error)
{
    struct wire_config_note message = {.error = cut(error, REASON_BYTES_MAX)};

    send_to_both(link, WIRE_TYPE_CONFIG_NOTE, &message);
}

void broker_link_drain(struct broker_link *link, uint32_t grace_ms)
{
    struct wire_drain message = {.grace_ms = grace_ms};

    send_message(link, WIRE_TYPE_DRAIN, &message, -1);
}

/* ------------------------------------------------------------------------------------- lifetime */

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct broker_link *link = userdata;

    if (revents & EPOLLOUT) {
        flush(link);
    }
    if (!link->is_broken && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        receive(link);
    }
    return 0;
}

int broker_link_new(struct broker_link **ret, sd_event *event, int fd,
                    const struct broker_link_handlers *handlers, void *userdata)
{
    CLEANUP(broker_link_freep) struct broker_link *link = NULL;
    CLEANUP(closep) int owned = fd;
    int r;

    link = calloc(1, sizeof(*link));
    if (!link) {
        return -ENOMEM;
    }
    link->fd = TAKE_FD(owned);
    link->handlers = handlers;
    link->userdata = userdata;
    list_init(&link->queue);
    r = sd_event_add_io(event, &link->source, link->fd, EPOLLIN, on_io, link);
    if (r < 0) {
        return r;
    }
    *ret = TAKE_PTR(link);
    return 0;
}

void broker_link_free(struct broker_link *link)
{
    if (!link) {
        return;
    }
    broker_link_set_beside(link, NULL);
    while (!list_is_empty(&link->queue)) {
        letter_free(CONTAINER_OF(link->queue.next, struct letter, node));
    }
    sd_event_source_disable_unref(link->source);
    closep(&link->fd);
    free(link);
}

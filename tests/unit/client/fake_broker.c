/*
 * The fake broker: poll(2), decode, ask the test's handler, else do the usual.
 */
#include "fake_broker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sys/packet.h"
#include "wire/codec.h"

/* Not assert(): the thread is no test, and release builds are tested, too. */
static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fake broker: %s: %s\n", what, strerror(errno));
        abort();
    }
}

void fake_send_raw(const struct fake_connection *connection, const void *bytes, size_t n_bytes,
                   int fd)
{
    struct pollfd polled = {.fd = connection->fd, .events = POLLOUT};
    int r = packet_send(connection->fd, bytes, n_bytes, fd);

    while (r == -EAGAIN && poll(&polled, 1, 1000) == 1) {
        r = packet_send(connection->fd, bytes, n_bytes, fd);
    }
    /* The client may be gone, or not be reading. */
    must(r == 0 || r == -EPIPE || r == -ECONNRESET || r == -EAGAIN, "send");
}

static void send_with(const struct fake_connection *connection, enum wire_type type,
                      const void *message, int fd)
{
    static _Thread_local uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];
    size_t n_bytes;

    must(wire_encode(type, message, buffer, sizeof(buffer), &n_bytes) == 0, "encode");
    fake_send_raw(connection, buffer, n_bytes, fd);
}

void fake_send(const struct fake_connection *connection, enum wire_type type, const void *message)
{
    send_with(connection, type, message, -1);
}

void fake_close(struct fake_connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
}

void fake_answer(const struct fake_connection *connection, uint64_t id)
{
    static _Thread_local struct wire_answer answer;

    answer = (struct wire_answer){
        .id = id,
        .verdict = PES_VERDICT_NOT_DETECTED,
        .coverage = PES_COVERAGE_FULL,
        .disposition = PES_DISPOSITION_ALLOW,
        .would = PES_DISPOSITION_ALLOW,
        .decided_by = PES_DECIDED_BY_VERDICT,
        .action = PES_GO,
        .mode = PES_MODE_ENFORCE,
        .message_id = PES_MESSAGE_ID_NOTHING_FOUND,
        .ref = wire_text("7Q4K-2M"),
        .wall_us = 100,
    };
    fake_send(connection, WIRE_TYPE_ANSWER, &answer);
}

static struct fake_content *find_content(struct fake_broker *fake,
                                         const struct fake_connection *connection, uint64_t id)
{
    for (size_t i = 0; i < fake->n_contents; i++) {
        struct fake_content *content = &fake->contents[i];

        if (content->fd >= 0 && content->connection == connection->number && content->id == id) {
            return content;
        }
    }
    return NULL;
}

ssize_t fake_content_bytes(struct fake_broker *fake, const struct fake_connection *connection,
                           const struct wire_ask *ask, void *buffer, size_t n_buffer)
{
    struct fake_content *content;

    if (ask->has_no_content) {
        return -1;
    }
    if (ask->content_id == 0) {
        size_t n = ask->content.size < n_buffer ? ask->content.size : n_buffer;

        memcpy(buffer, ask->content.data, n);
        return (ssize_t)ask->content.size;
    }
    content = find_content(fake, connection, ask->content_id);
    return content ? pread(content->fd, buffer, n_buffer, 0) : -1;
}

static void lend(struct fake_broker *fake, const struct fake_connection *connection,
                 const struct wire_reserve *reserve)
{
    struct wire_reserved reserved = {.content_id = reserve->content_id};
    int fd = memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    must(fd >= 0 && ftruncate(fd, (off_t)reserve->bytes) == 0 &&
             fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0,
         "memfd");
    must(fake->n_contents < FAKE_CONTENTS_MAX, "contents");
    fake->contents[fake->n_contents++] = (struct fake_content){
        .connection = connection->number,
        .id = reserve->content_id,
        .fd = fd,
    };
    send_with(connection, WIRE_TYPE_RESERVED, &reserved, fd);
}

/* Is what a broker insists on before it looks. */
static bool is_committed(struct fake_broker *fake, const struct fake_connection *connection,
                         const struct wire_ask *ask)
{
    struct fake_content *content;

    if (ask->content_id == 0) {
        return true;
    }
    content = find_content(fake, connection, ask->content_id);
    return content && fcntl(content->fd, F_GET_SEALS) ==
                          (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/* Insists on what a broker insists on. */
static void take_segment(struct fake_broker *fake, const struct fake_connection *connection,
                         const struct wire_segment *segment)
{
    const struct wire_ask ask = {.content_id = segment->content_id};
    struct fake_content *content = find_content(fake, connection, segment->content_id);

    if (content) {
        must(is_committed(fake, connection, &ask), "segment is not sealed");
        must(segment->is_last || segment->bytes == fake->segment_bytes, "segment is not full");
        fake->stream = realloc(fake->stream, fake->n_stream + segment->bytes);
        must(fake->stream && pread(content->fd, fake->stream + fake->n_stream, segment->bytes, 0) ==
                                 (ssize_t)segment->bytes,
             "segment");
        fake->n_stream += segment->bytes;
    }
    if (segment->is_last) {
        fake_answer(connection, fake->stream_ask);
    }
}

static void usual(struct fake_broker *fake, struct fake_connection *connection,
                  const struct wire_frame *frame)
{
    struct wire_welcome welcome = {
        .version = WIRE_PROTOCOL_VERSION,
        .max_message_bytes = WIRE_MESSAGE_BYTES_MAX,
        .max_inline_bytes = fake->max_inline_bytes,
        .max_content_bytes = fake->max_content_bytes,
        .max_in_flight = fake->max_in_flight,
        .mode = PES_MODE_ENFORCE,
        .segment_bytes = fake->segment_bytes,
        .done_in_ask = fake->done_in_ask,
    };

    if (frame->type == WIRE_TYPE_HELLO) {
        fake_send(connection, WIRE_TYPE_WELCOME, &welcome);
    }
    if (frame->type == WIRE_TYPE_RESERVE) {
        lend(fake, connection, &frame->reserve);
    }
    if (frame->type == WIRE_TYPE_SEGMENT) {
        take_segment(fake, connection, &frame->segment);
    }
    if (frame->type == WIRE_TYPE_ASK && frame->ask.stream_id) {
        fake->stream_ask = frame->ask.id;
        fake->n_stream = 0;
    } else if (frame->type == WIRE_TYPE_ASK) {
        must(is_committed(fake, connection, &frame->ask), "content is not sealed");
        fake_answer(connection, frame->ask.id);
    }
}

static void note(struct fake_broker *fake, const struct wire_frame *frame)
{
    pthread_mutex_lock(&fake->mutex);
    fake->n_seen[frame->type]++;
    if (frame->type == WIRE_TYPE_DONE) {
        fake->last_did = frame->done.did;
    }
    if (frame->type == WIRE_TYPE_ASK) {
        fake->last_ask = frame->ask;
        fake->last_full_size = 0;
        for (size_t i = 0; i < frame->ask.n_context; i++) {
            if (frame->ask.context[i].field == PES_SUBJECT_FULL_SIZE) {
                fake->last_full_size = frame->ask.context[i].value;
            }
        }
    }
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
}

/* Returns false when the connection is over. */
static bool serve(struct fake_broker *fake, struct fake_connection *connection)
{
    static _Thread_local uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];
    static _Thread_local struct wire_frame frame;
    struct wire_fault fault;
    ssize_t n = packet_receive(connection->fd, buffer, sizeof(buffer));

    if (n == -EAGAIN) {
        return true;
    }
    if (n <= 0) {
        return false;
    }
    must(wire_decode(&frame, buffer, (size_t)n, &fault) == 0, "decode");
    note(fake, &frame);
    if (!fake->handler || !fake->handler(fake, connection, &frame)) {
        usual(fake, connection, &frame);
    }
    return true;
}

static void take_connection(struct fake_broker *fake)
{
    int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
        if (fake->connections[i].fd < 0) {
            fake->connections[i] =
                (struct fake_connection){.fd = fd, .number = ++fake->n_connections};
            return;
        }
    }
    must(false, "too many connections");
}

static void *run(void *arg)
{
    struct fake_broker *fake = arg;
    struct pollfd polls[FAKE_CONNECTIONS_MAX + 2];

    for (;;) {
        polls[0] = (struct pollfd){.fd = fake->stop_pipe[0], .events = POLLIN};
        polls[1] = (struct pollfd){.fd = fake->listener, .events = POLLIN};
        for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
            polls[i + 2] = (struct pollfd){.fd = fake->connections[i].fd, .events = POLLIN};
        }
        must(poll(polls, FAKE_CONNECTIONS_MAX + 2, -1) >= 0 || errno == EINTR, "poll");
        if (polls[0].revents) {
            return NULL;
        }
        for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
            struct fake_connection *connection = &fake->connections[i];

            if (polls[i + 2].revents && connection->fd >= 0 && !serve(fake, connection) &&
                connection->fd >= 0) {
                fake_close(connection);
            }
        }
        if (polls[1].revents) {
            take_connection(fake);
        }
    }
}

void fake_broker_setup(struct fake_broker *fake)
{
    int fd;

    *fake = (struct fake_broker){
        .max_in_flight = 256,
        .max_inline_bytes = WIRE_INLINE_BYTES_MAX,
        .max_content_bytes = 100u << 20,
        .segment_bytes = 1u << 20,
        .listener = -1,
    };
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
        fake->connections[i].fd = -1;
    }
    strcpy(fake->folder, "/tmp/pes-fake-XXXXXX");
    must(mkdtemp(fake->folder) != NULL, "mkdtemp");
    must(chmod(fake->folder, 0755) == 0, "chmod");
    snprintf(fake->socket, sizeof(fake->socket), "%s/pes.sock", fake->folder);
    snprintf(fake->policy, sizeof(fake->policy), "%s/client.conf", fake->folder);
    fd = open(fake->policy, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(fd >= 0, "policy");
    close(fd);
    setenv("PES_RUNTIME_DIR", fake->folder, 1);
    setenv("PES_CLIENT_POLICY", fake->policy, 1);
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_cond_init(&fake->changed, NULL);
}

void fake_broker_start(struct fake_broker *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    fake->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, fake->socket, sizeof(fake->socket));
    must(fake->listener >= 0 &&
             bind(fake->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
             listen(fake->listener, 64) == 0,
         "listen");
    must(pipe2(fake->stop_pipe, O_CLOEXEC) == 0, "pipe");
    must(pthread_create(&fake->thread, NULL, run, fake) == 0, "thread");
    fake->is_running = true;
}

void fake_broker_stop(struct fake_broker *fake)
{
    if (!fake->is_running) {
        return;
    }
    must(write(fake->stop_pipe[1], "", 1) == 1, "stop");
    pthread_join(fake->thread, NULL);
    close(fake->stop_pipe[0]);
    close(fake->stop_pipe[1]);
    close(fake->listener);
    unlink(fake->socket);
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
        if (fake->connections[i].fd >= 0) {
            fake_close(&fake->connections[i]);
        }
    }
    for (size_t i = 0; i < fake->n_contents; i++) {
        if (fake->contents[i].fd >= 0) {
            close(fake->contents[i].fd);
        }
    }
    fake->n_contents = 0;
    fake->is_running = false;
}

void fake_broker_teardown(struct fake_broker *fake)
{
    fake_broker_stop(fake);
    free(fake->stream);
    unlink(fake->policy);
    rmdir(fake->folder);
    pthread_mutex_destroy(&fake->mutex);
    pthread_cond_destroy(&fake->changed);
}

size_t fake_broker_seen(struct fake_broker *fake, enum wire_type type)
{
    size_t n;

    pthread_mutex_lock(&fake->mutex);
    n = fake->n_seen[type];
    pthread_mutex_unlock(&fake->mutex);
    return n;
}

void fake_broker_await(struct fake_broker *fake, enum wire_type type, size_t n)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&fake->mutex);
    while (r == 0 && fake->n_seen[type] < n) {
        r = pthread_cond_timedwait(&fake->changed, &fake->mutex, &until);
    }
    pthread_mutex_unlock(&fake->mutex);
    must(r == 0, "a message that was expected did not come");
}

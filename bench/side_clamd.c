/*
 * clamd on a unix socket, with the bytes in the application's memory, as with the other sides.
 *
 * INSTREAM sends them through the socket; FILDES writes them into a memfd and passes that. Both
 * with a connection for each question, as most programs do, and with one that is kept (IDSESSION),
 * whose replies start with a number.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "side.h"

#define CHUNK_BYTES ((size_t)1 << 20)

struct client {
    const char *path;
    int socket; /* -1: none is kept */
    bool is_kept;
    bool is_marked_found;
};

static void send_all(int socket, const void *bytes, size_t n_bytes)
{
    for (size_t at = 0; at < n_bytes;) {
        ssize_t n = send(socket, (const char *)bytes + at, n_bytes - at, MSG_NOSIGNAL);

        if (n <= 0) {
            side_fail("clamd does not take what it was sent");
        }
        at += (size_t)n;
    }
}

static int clamd_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        side_fail("cannot connect to clamd");
    }
    return fd;
}

static struct client *client_open(const struct side_setup *setup, bool is_kept)
{
    struct client *client = calloc(1, sizeof(*client));

    if (!client) {
        side_fail("out of memory");
    }
    *client = (struct client){
        .path = setup->clamd_socket,
        .socket = -1,
        .is_kept = is_kept,
        .is_marked_found = setup->is_marked_found,
    };
    if (is_kept) {
        client->socket = clamd_connect(client->path);
        send_all(client->socket, "zIDSESSION", sizeof("zIDSESSION"));
    }
    return client;
}

static void *once_open(const struct side_setup *setup)
{
    return client_open(setup, false);
}

static void *kept_open(const struct side_setup *setup)
{
    return client_open(setup, true);
}

static void reply_check(int socket, bool must_find)
{
    char reply[512];
    size_t n_reply = 0;

    do {
        ssize_t n = recv(socket, reply + n_reply, sizeof(reply) - 1 - n_reply, 0);

        if (n <= 0) {
            side_fail("clamd closed the connection");
        }
        n_reply += (size_t)n;
    } while (!memchr(reply, '\0', n_reply) && n_reply < sizeof(reply) - 1);
    reply[n_reply] = '\0';
    if (!strstr(reply, must_find ? " FOUND" : ": OK")) {
        fprintf(stderr, "bench: clamd answered '%s'\n", reply);
        exit(1);
    }
}

static void stream_send(int socket, const void *bytes, size_t n_bytes)
{
    const uint32_t end = 0;

    send_all(socket, "zINSTREAM", sizeof("zINSTREAM"));
    for (size_t at = 0; at < n_bytes;) {
        size_t n = n_bytes - at < CHUNK_BYTES ? n_bytes - at : CHUNK_BYTES;
        const uint32_t n_wire = htonl((uint32_t)n);

        send_all(socket, &n_wire, sizeof(n_wire));
        send_all(socket, (const char *)bytes + at, n);
        at += n;
    }
    send_all(socket, &end, sizeof(end));
}

static int memfd_of(const void *bytes, size_t n_bytes)
{
    int fd = memfd_create("bench", MFD_CLOEXEC);

    for (size_t at = 0; fd >= 0 && at < n_bytes;) {
        ssize_t n = write(fd, (const char *)bytes + at, n_bytes - at);

        if (n <= 0) {
            side_fail("cannot fill a memfd");
        }
        at += (size_t)n;
    }
    return fd;
}

static void fd_send(int socket, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    send_all(socket, "zFILDES", sizeof("zFILDES"));
    if (sendmsg(socket, &message, MSG_NOSIGNAL) != 1) {
        side_fail("cannot pass a descriptor to clamd");
    }
}

static void ask(struct client *client, bool is_stream, const void *bytes, size_t n_bytes,
                bool must_find)
{
    int socket = client->is_kept ? client->socket : clamd_connect(client->path);

    if (is_stream) {
        stream_send(socket, bytes, n_bytes);
    } else {
        int fd = memfd_of(bytes, n_bytes);

        fd_send(socket, fd);
        close(fd);
    }
    reply_check(socket, must_find);
    if (!client->is_kept) {
        close(socket);
    }
}

static void instream_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    struct client *client = state;

    ask(client, true, bytes, n_bytes, is_marked && client->is_marked_found);
}

static void fildes_ask(void *state, const void *bytes, size_t n_bytes, bool is_marked)
{
    struct client *client = state;

    ask(client, false, bytes, n_bytes, is_marked && client->is_marked_found);
}

static void client_close(void *state)
{
    struct client *client = state;

    if (client->socket >= 0) {
        close(client->socket);
    }
    free(client);
}

const struct side side_instream = {.name = "instream",
                                   .open = once_open,
                                   .ask = instream_ask,
                                   .close = client_close};
const struct side side_fildes = {.name = "fildes",
                                 .open = once_open,
                                 .ask = fildes_ask,
                                 .close = client_close};
const struct side side_instream_kept = {.name = "instream-kept",
                                        .open = kept_open,
                                        .ask = instream_ask,
                                        .close = client_close};
const struct side side_fildes_kept = {.name = "fildes-kept",
                                      .open = kept_open,
                                      .ask = fildes_ask,
                                      .close = client_close};

/*
 * Datagrams over SOCK_SEQPACKET.
 *
 * Every channel of pes is one of these: a message is whole or not there at all, so there is no
 * half-read state and no slow writer to wait for. Receiving is split in two on purpose. From a
 * stranger a descriptor must not even be received, since closing it can block for as long as the
 * stranger likes (a FUSE file, a lingering socket): without a control buffer the kernel drops it
 * (unix(7)). Only packet_receive_fd(), _fds() and packet_await_row() have one, for peers that we
 * trust.
 */
#include "sys/packet.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * A datagram that nobody has read is charged to its sender with its buffer and what the kernel
 * keeps about it, 576 bytes at least (SKB_TRUESIZE(0) on 64 bits; less elsewhere). While one is
 * being dropped, a single byte of it remains.
 */
#define UNREAD_BYTES_LEAST 256u

int packet_pair(int ret_fds[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) < 0) {
        return -errno;
    }
    return 0;
}

static int send_parts(int socket, struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds)
{
    union {
        char bytes[CMSG_SPACE(PACKET_ROW_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n_iov};
    ssize_t n;

    if (n_fds > 0) {
        struct cmsghdr *cmsg;

        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
    }
    do {
        n = sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int packet_send2(int socket, const void *head, size_t n_head, const void *body, size_t n_body,
                 int fd)
{
    struct iovec iov[2] = {
        {.iov_base = (void *)(uintptr_t)head, .iov_len = n_head},
        {.iov_base = (void *)(uintptr_t)body, .iov_len = n_body},
    };

    return send_parts(socket, iov, n_body > 0 ? 2 : 1, &fd, fd >= 0 ? 1 : 0);
}

bool packet_must_wait(int error)
{
    return error == -EAGAIN || error == -ENOBUFS || error == -ETOOMANYREFS;
}

int packet_send(int socket, const void *bytes, size_t n_bytes, int fd)
{
    return packet_send2(socket, bytes, n_bytes, NULL, 0, fd);
}

int packet_send_fds(int socket, const void *bytes, size_t n_bytes, const int *fds, size_t n_fds)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n_bytes};

    if (n_fds > PACKET_ROW_MAX) {
        return -EINVAL;
    }
    return send_parts(socket, &iov, 1, fds, n_fds);
}

ssize_t packet_receive(int socket, void *buffer, size_t n_buffer)
{
    struct iovec iov = {.iov_base = buffer, .iov_len = n_buffer};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    do {
        n = recvmsg(socket, &msg, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    return (msg.msg_flags & MSG_TRUNC) ? -EMSGSIZE : n;
}

/* Moves the descriptors of a control message into `fds`, as far as there is room, and closes the
 * rest. Returns how many there were. */
static size_t control_fds(struct msghdr *msg, int *fds, size_t room)
{
    size_t n_fds = 0;

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        /* CMSG_SPACE rounds up, so that a descriptor too many can slip in: look at the length, not
         * at the room. */
        for (size_t at = 0; at + sizeof(int) <= cmsg->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + at, sizeof(fd));
            if (n_fds < room) {
                fds[n_fds] = fd;
            } else {
                close(fd);
            }
            n_fds++;
        }
    }
    return n_fds;
}

/* Receives with between `n_least` and `n_most` descriptors; on any error none is left open.
 * `flags`: of recvmsg(2). */
static ssize_t receive_fds(int socket, void *buffer, size_t n_buffer, int *fds, size_t n_least,
                           size_t n_most, size_t *ret_n_fds, int flags)
{
    union {
        char bytes[CMSG_SPACE(PACKET_ROW_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {.iov_base = buffer, .iov_len = n_buffer};
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(n_most * sizeof(int)),
    };
    size_t n_fds;
    ssize_t n;

    do {
        n = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    n_fds = control_fds(&msg, fds, n_most);
    if (n == 0 && n_fds == 0) {
        *ret_n_fds = 0;
        return 0;
    }
    if (n_fds < n_least || n_fds > n_most || (msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC))) {
        for (size_t i = 0; i < n_fds && i < n_most; i++) {
            close(fds[i]);
            fds[i] = -1;
        }
        return (msg.msg_flags & MSG_TRUNC) ? -EMSGSIZE : -EBADMSG;
    }
    *ret_n_fds = n_fds;
    return n;
}

ssize_t packet_receive_fd(int socket, void *buffer, size_t n_buffer, int *ret_fd)
{
    int fd = -1;
    size_t n_fds;
    ssize_t n = receive_fds(socket, buffer, n_buffer, &fd, 0, 1, &n_fds, MSG_DONTWAIT);

    if (n >= 0) {
        *ret_fd = fd;
    }
    return n;
}

ssize_t packet_receive_fds(int socket, void *buffer, size_t n_buffer, int *ret_fds, size_t n_fds)
{
    int fds[PACKET_FDS_MAX] = {-1, -1, -1, -1};
    size_t n_received;
    ssize_t n;

    if (n_fds == 0 || n_fds > PACKET_FDS_MAX) {
        return -EINVAL;
    }
    n = receive_fds(socket, buffer, n_buffer, fds, n_fds, n_fds, &n_received, MSG_DONTWAIT);
    if (n >= 0) {
        memcpy(ret_fds, fds, n_fds * sizeof(int));
    }
    return n;
}

ssize_t packet_await_row(int socket, void *buffer, size_t n_buffer, int *ret_fds, size_t *ret_n_fds)
{
    return receive_fds(socket, buffer, n_buffer, ret_fds, 0, PACKET_ROW_MAX, ret_n_fds, 0);
}

size_t packet_unread_most(int socket)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof(memory);

    if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0 ||
        size <= SK_MEMINFO_WMEM_ALLOC * sizeof(memory[0])) {
        return SIZE_MAX; /* before Linux 4.12 */
    }
    return memory[SK_MEMINFO_WMEM_ALLOC] / UNREAD_BYTES_LEAST;
}

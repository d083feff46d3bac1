/* Datagrams over SOCK_SEQPACKET, with descriptors only where they are expected. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* Makes a connected, close-on-exec pair. Returns 0 or -errno. */
MUST_CHECK int packet_pair(int ret_fds[2]);

/*
 * Sends one datagram without blocking, with descriptor `fd` unless it is -1. Returns 0 or -errno:
 * -EAGAIN when the peer does not read, -EPIPE when it is gone; see also packet_must_wait().
 */
MUST_CHECK int packet_send(int socket, const void *bytes, size_t n_bytes, int fd);

/*
 * Whether sending failed for want of room alone, so that the same may work later. Only for -EAGAIN
 * does the socket say when: -ETOOMANYREFS means that our user has as many descriptors on their way
 * to somebody as it may have open, -ENOBUFS that the kernel has no memory.
 */
bool packet_must_wait(int error);

/* The same with a header and a body from two places. */
MUST_CHECK int packet_send2(int socket, const void *head, size_t n_head, const void *body,
                            size_t n_body, int fd);

#define PACKET_FDS_MAX 4

#define PACKET_ROW_MAX 64

/* The same with up to PACKET_ROW_MAX descriptors. */
MUST_CHECK int packet_send_fds(int socket, const void *bytes, size_t n_bytes, const int *fds,
                               size_t n_fds);

/*
 * Receives one datagram without blocking. Any descriptor in it is dropped by the kernel, unseen:
 * there is no control buffer. Returns its length (0: the peer closed), or -errno: -EAGAIN nothing
 * there, -EMSGSIZE it was longer than the buffer (and is gone).
 */
MUST_CHECK ssize_t packet_receive(int socket, void *buffer, size_t n_buffer);

/*
 * The same from a peer that we trust with a descriptor (the launcher; the broker, for a client).
 * `ret_fd` is -1 when there was none. More than one is -EBADMSG, and all are closed.
 */
MUST_CHECK ssize_t packet_receive_fd(int socket, void *buffer, size_t n_buffer, int *ret_fd);

/*
 * The same with exactly `n_fds` descriptors, 1 to PACKET_FDS_MAX: a datagram with fewer or more is
 * -EBADMSG, and all are closed. All of `ret_fds` is -1 when the peer closed (0).
 */
MUST_CHECK ssize_t packet_receive_fds(int socket, void *buffer, size_t n_buffer, int *ret_fds,
                                      size_t n_fds);

/*
 * The same with any number of descriptors up to PACKET_ROW_MAX, the room in `ret_fds`; `ret_n_fds`
 * says how many. Waits for it on a socket that waits, which packet_pair() does not make.
 */
MUST_CHECK ssize_t packet_await_row(int socket, void *buffer, size_t n_buffer, int *ret_fds,
                                    size_t *ret_n_fds);

/*
 * At most how many of the datagrams that were sent on this socket the peer has not read: the last
 * ones. Never too few; SIZE_MAX when it cannot be told.
 */
size_t packet_unread_most(int socket);

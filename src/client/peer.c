/*
 * Who is at the other end.
 *
 * An application hands its content to the broker and acts on its word, so the broker has to be one
 * of: root's (system mode), the own user's (--user), or of the user that the administrator named.
 *
 * User namespaces (containers, bubblewrap): a user that has no mapping here shows as the overflow
 * uid, 65534 unless changed. Real `nobody` and every unmapped stranger then look alike, and so
 * does root of the host, who runs the broker whose socket was mounted in. The number alone proves
 * nothing, hence the second fact: nobody in here could have put the socket there.
 */
#include "client/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/place.h"

bool peer_is_trusted(const struct peer *peer, const struct client_policy *policy)
{
    if (policy->has_broker_uid && peer->uid == policy->broker_uid) {
        return true;
    }
    if (peer->uid == peer->overflow_uid && !peer->is_identity_map) {
        /* Not even as our own: ours may be unmapped as well. */
        return peer->socket_owner == peer->overflow_uid && !peer->is_folder_ours;
    }
    return peer->uid == 0 || peer->uid == peer->own_uid;
}

/* Reads the start of a file of /proc; terminated. */
static bool read_start(const char *path, char *buffer, size_t n_buffer)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        return false;
    }
    do {
        n = read(fd, buffer, n_buffer - 1);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return false;
    }
    buffer[n] = '\0';
    return true;
}

uid_t peer_overflow_uid(void)
{
    char text[32];

    if (read_start("/proc/sys/kernel/overflowuid", text, sizeof(text))) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);

        if (end != text && value < UINT32_MAX) {
            return (uid_t)value;
        }
    }
    return 65534;
}

bool peer_is_identity_map(void)
{
    unsigned long inside, outside, count;
    char text[256];

    /* Without /proc there is no telling, and the careful rule holds. */
    return read_start("/proc/self/uid_map", text, sizeof(text)) &&
           sscanf(text, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
           outside == 0 && count == UINT32_MAX;
}

static void read_place(struct peer *peer, const char *socket_path)
{
    char folder[PLACE_SOCKET_BYTES];
    struct stat st;
    char *slash;

    peer->is_folder_ours = true;
    peer->socket_owner = peer->own_uid;
    if (strlen(socket_path) >= sizeof(folder) || stat(socket_path, &st) < 0) {
        return;
    }
    peer->socket_owner = st.st_uid;
    strcpy(folder, socket_path);
    slash = strrchr(folder, '/');
    if (!slash) {
        return;
    }
    *slash = '\0';
    peer->is_folder_ours = faccessat(AT_FDCWD, folder[0] ? folder : "/", W_OK, AT_EACCESS) == 0;
}

/* Where the peer of `fd` listens, as it says: "" when it did not come by a name. */
static void read_peer_path(char path[static PLACE_SOCKET_BYTES + 1], int fd)
{
    struct sockaddr_un address = {0};
    socklen_t n = sizeof(address);

    path[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &n) == 0 && address.sun_path[0] == '/') {
        memcpy(path, address.sun_path, sizeof(address.sun_path));
        path[sizeof(address.sun_path)] = '\0';
    }
}

int peer_read(struct peer *ret_peer, int fd, const char *socket_path)
{
    char peer_path[PLACE_SOCKET_BYTES + 1];
    struct ucred ucred;
    socklen_t n = sizeof(ucred);
    struct peer peer = {0};

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &n) < 0) {
        return -errno;
    }
    peer.uid = ucred.uid;
    peer.own_uid = geteuid();
    peer.overflow_uid = peer_overflow_uid();
    peer.is_identity_map = true;
    if (peer.uid == peer.overflow_uid) {
        peer.is_identity_map = peer_is_identity_map();
        if (!socket_path) {
            read_peer_path(peer_path, fd);
            socket_path = peer_path;
        }
        read_place(&peer, socket_path);
    }
    *ret_peer = peer;
    return 0;
}

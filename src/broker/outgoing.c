/*
 * A message that waits until it can be sent.
 *
 * It has a copy of its descriptor, so that whoever asked for it to be sent may close theirs. What
 * keeping it costs is charged by whoever keeps it.
 */
#include "broker/outgoing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct outgoing *outgoing_new(const void *bytes, size_t n_bytes, int fd)
{
    struct outgoing *outgoing = malloc(sizeof(*outgoing) + n_bytes);

    if (!outgoing) {
        return NULL;
    }
    *outgoing = (struct outgoing){.fd = -1, .n_bytes = n_bytes};
    memcpy(outgoing->bytes, bytes, n_bytes);
    if (fd >= 0) {
        outgoing->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (outgoing->fd < 0) {
            free(outgoing);
            return NULL;
        }
    }
    return outgoing;
}

void outgoing_free(struct outgoing *outgoing)
{
    if (outgoing && outgoing->fd >= 0) {
        close(outgoing->fd);
    }
    free(outgoing);
}

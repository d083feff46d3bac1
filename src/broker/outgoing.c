/*
 * A message that waits until it can be sent.
 *
 * It has copies of its descriptors, so that whoever asked for it to be sent may close theirs. What
 * keeping it costs is charged by whoever keeps it.
 */
#include "broker/outgoing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct outgoing *outgoing_new(const void *bytes, size_t n_bytes, const int *fds, size_t n_fds)
{
    size_t n_padded = (n_bytes + sizeof(int) - 1) / sizeof(int) * sizeof(int);
    struct outgoing *outgoing = malloc(sizeof(*outgoing) + n_padded + n_fds * sizeof(int));

    if (!outgoing) {
        return NULL;
    }
    *outgoing = (struct outgoing){.n_bytes = n_bytes};
    outgoing->fds = (int *)(void *)(outgoing->bytes + n_padded);
    memcpy(outgoing->bytes, bytes, n_bytes);
    for (; outgoing->n_fds < n_fds; outgoing->n_fds++) {
        int fd = fcntl(fds[outgoing->n_fds], F_DUPFD_CLOEXEC, 3);

        if (fd < 0) {
            outgoing_free(outgoing);
            return NULL;
        }
        outgoing->fds[outgoing->n_fds] = fd;
    }
    return outgoing;
}

void outgoing_free(struct outgoing *outgoing)
{
    for (size_t i = 0; outgoing && i < outgoing->n_fds; i++) {
        close(outgoing->fds[i]);
    }
    free(outgoing);
}

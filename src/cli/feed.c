/*
 * From a pipe to the service.
 *
 * Reads only when something is there, and only what the service has room for: a pipe that is
 * faster than the service waits, and one that never ends is not read for ever, since the service
 * answers as soon as it is too large. Each step is short, so that whoever waits beside is served.
 */
#include "cli/feed.h"

#include <stdbool.h>
#include <unistd.h>

#include <pes/pes.h>

#include "cli/lines.h"

#define STEP_BYTES (64 * 1024)

/* Return: number of bytes, 0 at the end, or a negative errno; -EAGAIN: nothing is there yet. */
static ssize_t read_some(struct item *item, void *buffer, size_t n_buffer)
{
    ssize_t n;

    if (item->n_fed < item->full_size) {
        n = pread(item->fd, buffer, n_buffer, (off_t)item->n_fed);
        return n > 0 ? n : n < 0 ? -errno : -EIO; /* it is ours: all of it is there */
    }
    if (!lines_is_readable(item->rest_fd)) {
        return -EAGAIN;
    }
    do {
        n = read(item->rest_fd, buffer, n_buffer);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int feed_step(struct item *item, struct pes_request *request)
{
    char buffer[STEP_BYTES];
    size_t n_room = pes_stream_room(request);
    ssize_t n;

    /* Without room it is full, or answered: nothing is written, so that nothing is waited for. */
    if (n_room == 0) {
        return pes_stream_write(request, NULL, 0) == 1 ? FEED_E_ANSWERED : FEED_E_FULL;
    }
    n = read_some(item, buffer, n_room < sizeof(buffer) ? n_room : sizeof(buffer));
    if (n == -EAGAIN) {
        return FEED_E_WAIT;
    }
    if (n < 0) {
        return (int)n;
    }
    if (n == 0) {
        return pes_stream_end(request) < 0 ? -EINVAL : FEED_E_END;
    }
    item->n_fed += (uint64_t)n;
    switch (pes_stream_write(request, buffer, (size_t)n)) {
    case 0:
        return FEED_E_MORE;
    case 1:
        return FEED_E_ANSWERED;
    default:
        return -ENOMEM;
    }
}

/*
 * Lines of a stream.
 *
 * Reads only when something is there, so that a slow pipe (`tail -f log | pes scan --lines`) holds
 * up no answer. The stream's flags are left alone: another process may share it. Memory is bounded
 * by max_bytes: a longer line is passed over to its end and told as such, never cut and called
 * complete. Zero bytes within a line are part of it.
 */
#include "cli/lines.h"

#include <poll.h>
#include <string.h>

#define READ_BYTES ((size_t)64 * 1024)

void lines_init(struct lines *lines, int fd, char separator, size_t max_bytes)
{
    *lines = (struct lines)LINES_INIT;
    lines->fd = fd;
    lines->separator = separator;
    lines->max_bytes = max_bytes;
}

void lines_fini(struct lines *lines)
{
    free(lines->buffer);
    closep(&lines->fd);
    *lines = (struct lines)LINES_INIT;
}

bool lines_is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    /* An error or a hang-up is for read() to tell. */
    return poll(&p, 1, 0) != 0;
}

static int make_room(struct lines *lines)
{
    size_t n;
    char *buffer;

    if (lines->start > 0) {
        memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
    }
    if (lines->n_allocated - lines->end >= READ_BYTES) {
        return 0;
    }
    n = lines->n_allocated ? lines->n_allocated * 2 : 2 * READ_BYTES;
    buffer = realloc(lines->buffer, n);
    if (!buffer) {
        return -ENOMEM;
    }
    lines->buffer = buffer;
    lines->n_allocated = n;
    return 0;
}

/* Return: 0 when more was read or the end was met, LINES_E_WAIT, or a negative errno. */
static int read_more(struct lines *lines)
{
    ssize_t n;
    int r = make_room(lines);

    if (r < 0) {
        return r;
    }
    if (!lines_is_readable(lines->fd)) {
        return LINES_E_WAIT;
    }
    do {
        n = read(lines->fd, lines->buffer + lines->end, READ_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN ? LINES_E_WAIT : -errno;
    }
    if (n == 0) {
        lines->is_at_end = true;
    }
    lines->end += (size_t)n;
    return 0;
}

/* Gives out @n bytes from the start on, of which the last @n_separator are not part of the line. */
static int give(struct lines *lines, size_t n, size_t n_separator, const char **ret_bytes,
                size_t *ret_n_bytes)
{
    uint64_t n_line = lines->n_skipped + n - n_separator;

    *ret_bytes = lines->buffer + lines->start;
    *ret_n_bytes = (size_t)n_line;
    lines->start += n;
    lines->n_searched = 0;
    lines->n_skipped = 0;
    lines->ordinal++;
    return n_line > lines->max_bytes ? LINES_E_TOO_LONG : 0;
}

int lines_next(struct lines *lines, const char **ret_bytes, size_t *ret_n_bytes)
{
    for (;;) {
        size_t n_held = lines->end - lines->start;
        const char *from = lines->buffer + lines->start;
        const char *found = NULL;
        int r;

        if (n_held > lines->n_searched) {
            found = memchr(from + lines->n_searched, lines->separator, n_held - lines->n_searched);
        }
        if (found) {
            return give(lines, (size_t)(found - from) + 1, 1, ret_bytes, ret_n_bytes);
        }
        if (lines->is_at_end) {
            if (n_held == 0 && lines->n_skipped == 0) {
                return LINES_E_END;
            }
            return give(lines, n_held, 0, ret_bytes, ret_n_bytes);
        }
        lines->n_searched = n_held;
        if (n_held > lines->max_bytes) {
            lines->n_skipped += n_held;
            lines->start = lines->end = lines->n_searched = 0;
        }
        r = read_more(lines);
        if (r != 0) {
            return r;
        }
    }
}

/*
 * The bytes of a request.
 *
 * Up to the inline limit they are a private copy, which travels in the question itself. Larger
 * ones go into a memfd that the broker made and lent, that is write-sealed before it is asked
 * about: from then on neither we nor the broker nor a provider can change it. Either way the
 * application can have the very bytes that were scanned (content_take_memfd).
 *
 * Filling goes through pwrite(2) and not through a mapping: running out of memory is then an error
 * and not a SIGBUS, and a mapping that is still there would forbid the seal.
 */
#include "client/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SENDFILE_BYTES (1u << 30)

void content_fini(struct content *content)
{
    free(content->bytes);
    closep(&content->fd);
    for (size_t i = 0; i < content->n_fds; i++) {
        closep(&content->fds[i]);
    }
    free(content->fds);
    *content = (struct content)CONTENT_INIT;
}

int content_new_row(struct content *content)
{
    content->fds = calloc(CONTENT_FDS_MAX, sizeof(content->fds[0]));
    if (!content->fds) {
        return -ENOMEM;
    }
    content->state = CONTENT_ROW;
    return 0;
}

int content_copy(struct content *content, const void *bytes, size_t n_bytes)
{
    uint8_t *copy = malloc(n_bytes ? n_bytes : 1);

    if (!copy) {
        return -ENOMEM;
    }
    if (n_bytes) {
        memcpy(copy, bytes, n_bytes);
    }
    content->state = CONTENT_INLINE;
    content->bytes = copy;
    content->n_bytes = n_bytes;
    return 0;
}

/* Reads up to `n_bytes`; less only at the end of the file. Returns the length or -errno. */
static ssize_t read_at(int fd, void *buffer, size_t n_bytes, uint64_t offset)
{
    size_t n_done = 0;

    while (n_done < n_bytes) {
        ssize_t n = pread(fd, (char *)buffer + n_done, n_bytes - n_done, (off_t)(offset + n_done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        n_done += (size_t)n;
    }
    return (ssize_t)n_done;
}

static int write_at(int fd, const void *bytes, size_t n_bytes, uint64_t offset)
{
    size_t n_done = 0;

    while (n_done < n_bytes) {
        ssize_t n =
            pwrite(fd, (const char *)bytes + n_done, n_bytes - n_done, (off_t)(offset + n_done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        n_done += (size_t)n;
    }
    return 0;
}

int content_copy_file(struct content *content, int fd, size_t n_bytes)
{
    /* One more than there should be, to see whether it has grown. */
    CLEANUP(freep) uint8_t *copy = malloc(n_bytes + 1);
    ssize_t n;

    if (!copy) {
        return -ENOMEM;
    }
    n = read_at(fd, copy, n_bytes + 1, 0);
    if (n < 0) {
        return (int)n;
    }
    if ((size_t)n != n_bytes) {
        return CONTENT_E_CHANGED;
    }
    content->state = CONTENT_INLINE;
    content->bytes = TAKE_PTR(copy);
    content->n_bytes = n_bytes;
    return 0;
}

static int fill_from_file(int memfd, const struct content_source *source, void *buffer,
                          size_t n_buffer)
{
    uint64_t at = 0;
    ssize_t n;
    int r;

    while (at < source->n_bytes) {
        uint64_t n_left = source->n_bytes - at;
        size_t n_wanted = n_left < n_buffer ? (size_t)n_left : n_buffer;

        n = read_at(source->fd, buffer, n_wanted, at);
        if (n < 0) {
            return (int)n;
        }
        if ((size_t)n != n_wanted) {
            return CONTENT_E_CHANGED;
        }
        r = write_at(memfd, buffer, n_wanted, at);
        if (r < 0) {
            return r;
        }
        at += n_wanted;
    }
    n = read_at(source->fd, buffer, 1, at);
    if (n < 0) {
        return (int)n;
    }
    return n == 0 ? 0 : CONTENT_E_CHANGED;
}

int content_fill(int memfd, const struct content_source *source, void *buffer, size_t n_buffer)
{
    if (source->bytes) {
        return write_at(memfd, source->bytes, source->n_bytes, 0);
    }
    return fill_from_file(memfd, source, buffer, n_buffer);
}

int content_seal(int memfd)
{
    /* Growing and shrinking were forbidden by whoever made it; adding a seal twice does no harm. */
    int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

    return fcntl(memfd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

/* Returns a memfd without anything in it, or -errno. */
static int empty_memfd(void)
{
    int fd = memfd_create("pes-content", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create("pes-content", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before Linux 6.3 */
    }
    return fd < 0 ? -errno : fd;
}

/* Makes a memfd with the bytes of a row, sealed. Those cannot change any more either. */
static int join_row(int *ret_fd, const struct content *row)
{
    CLEANUP(closep) int fd = empty_memfd();
    int r;

    if (fd < 0) {
        return fd;
    }
    for (size_t i = 0; i < row->n_fds; i++) {
        off_t at = 0;
        ssize_t n;

        while ((n = sendfile(fd, row->fds[i], &at, SENDFILE_BYTES)) > 0) {
        }
        if (n < 0) {
            return -errno;
        }
    }
    r = content_seal(fd);
    if (r == 0) {
        *ret_fd = TAKE_FD(fd);
    }
    return r;
}

/* Makes a memfd with the bytes of `source`, sealed. Returns as content_fill(). */
static int make_memfd(int *ret_fd, const struct content_source *source, void *buffer,
                      size_t n_buffer)
{
    CLEANUP(closep) int fd = empty_memfd();
    int r;

    if (fd < 0) {
        return fd;
    }
    r = content_fill(fd, source, buffer, n_buffer);
    if (r == 0) {
        r = content_seal(fd);
    }
    if (r != 0) {
        return r;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int content_keep(struct content *content, const struct content_source *source, void *buffer,
                 size_t n_buffer)
{
    int r;

    if (source->bytes) {
        return content_copy(content, source->bytes, source->n_bytes);
    }
    r = make_memfd(&content->fd, source, buffer, n_buffer);
    if (r == 0) {
        content->state = CONTENT_SHARED;
        content->n_bytes = source->n_bytes;
    }
    return r;
}

int content_take_memfd(struct content *content)
{
    const struct content_source source = {.bytes = content->bytes, .n_bytes = content->n_bytes};
    int fd = -1, r;

    switch (content->state) {
    case CONTENT_SHARED:
        fd = TAKE_FD(content->fd);
        break;
    case CONTENT_INLINE:
        r = make_memfd(&fd, &source, NULL, 0);
        if (r < 0) {
            return r;
        }
        break;
    case CONTENT_ROW:
        r = join_row(&fd, content);
        if (r < 0) {
            return r;
        }
        break;
    case CONTENT_NONE:
    case CONTENT_MISSED:
        return -EINVAL;
    }
    content_fini(content);
    return fd;
}

/*
 * A stream that is asked about as a whole.
 *
 * A pipe has no size and cannot be read twice, so its bytes are taken into a memfd first. Like
 * lines.c this reads only when something is there. What is larger than max_bytes is told as soon as
 * it is, with what was read so far: whether it is then passed on bit by bit or not asked about at
 * all is for others to say, but never is a part taken for the whole.
 */
#include "cli/spool.h"

#include <sys/mman.h>
#include <unistd.h>

#include "cli/lines.h"

int spool_init(struct spool *spool, int fd, uint64_t max_bytes)
{
    *spool = (struct spool){.fd = fd, .max_bytes = max_bytes};
    spool->memory_fd = memfd_create("pes-scan", MFD_CLOEXEC);
    return spool->memory_fd < 0 ? -errno : 0;
}

void spool_fini(struct spool *spool)
{
    closep(&spool->fd);
    closep(&spool->memory_fd);
    *spool = (struct spool)SPOOL_INIT;
}

static int write_all(int fd, const char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        ssize_t n = write(fd, bytes, n_bytes);

        if (n < 0) {
            return -errno;
        }
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return 0;
}

int spool_step(struct spool *spool)
{
    char buffer[64 * 1024];

    for (;;) {
        ssize_t n;
        int r;

        if (!lines_is_readable(spool->fd)) {
            return SPOOL_E_WAIT;
        }
        n = read(spool->fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN ? SPOOL_E_WAIT : -errno;
        }
        if (n == 0) {
            return 0;
        }
        r = write_all(spool->memory_fd, buffer, (size_t)n);
        if (r < 0) {
            return r;
        }
        spool->n_bytes += (uint64_t)n;
        if (spool->n_bytes > spool->max_bytes) {
            return SPOOL_E_TOO_LARGE;
        }
    }
}

/*
 * Reading and replacing whole files.
 *
 * A file is written under another name, synced, and renamed: after a power cut there is the old one
 * or the new one.
 */
#include "package/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int store_file_read(const char *path, size_t n_most, uint8_t **ret, size_t *ret_n)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    CLEANUP(freep) uint8_t *bytes = NULL;
    struct stat st;
    size_t done = 0;

    if (fd < 0 || fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -EINVAL;
    }
    if (st.st_size > (off_t)n_most) {
        return -EFBIG;
    }
    bytes = malloc((size_t)st.st_size + 1);
    if (!bytes) {
        return -ENOMEM;
    }
    while (done < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + done, (size_t)st.st_size - done);

        if (n == 0) {
            return -ESTALE; /* it shrank meanwhile */
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    *ret = TAKE_PTR(bytes);
    *ret_n = done;
    return 0;
}

static int write_synced(int fd, const void *bytes, size_t n_bytes, mode_t mode)
{
    size_t done = 0;

    while (done < n_bytes) {
        ssize_t n = write(fd, (const char *)bytes + done, n_bytes - done);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return fchmod(fd, mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int store_file_write(const char *path, const void *bytes, size_t n_bytes, mode_t mode)
{
    CLEANUP(closep) int fd = -1;
    char beside[PATH_MAX];
    int r;

    if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside)) {
        return -ENAMETOOLONG;
    }
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    r = write_synced(fd, bytes, n_bytes, mode);
    if (r == 0 && rename(beside, path) < 0) {
        r = -errno;
    }
    if (r < 0) {
        (void)unlink(beside);
    }
    return r;
}

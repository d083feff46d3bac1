/*
 * Sealed memory for packages.
 *
 * A path leads to a file once. From then on there is only the copy, which nobody can change: not
 * whoever may write the file, not pes-verify, not the provider. The module is taken out of the copy
 * that was verified and hashed once more on the way, by the process that hands it to be executed.
 */
#include "package/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* 6.3: says that execution is meant, where the default denies it */
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* 6.3 */
#endif

static int make(const char *name, unsigned int more)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | more);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before 6.3 */
    }
    return fd < 0 ? -errno : fd;
}

static int seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0
               ? -errno
               : 0;
}

static int write_all(int fd, const void *bytes, size_t n_bytes)
{
    size_t done = 0;

    while (done < n_bytes) {
        ssize_t n = write(fd, (const char *)bytes + done, n_bytes - done);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int memory_from_bytes(const char *name, const void *bytes, size_t n_bytes, int *ret_fd)
{
    CLEANUP(closep) int fd = make(name, MFD_NOEXEC_SEAL);
    int r = fd < 0 ? fd : write_all(fd, bytes, n_bytes);

    if (r == 0) {
        r = seal(fd);
    }
    if (r == 0) {
        *ret_fd = TAKE_FD(fd);
    }
    return r;
}

static int copy_file(int from, int to, off_t n_bytes)
{
    off_t done = 0;

    while (done < n_bytes) {
        ssize_t n = sendfile(to, from, NULL, (size_t)(n_bytes - done));

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) {
            return -ESTALE; /* it shrank meanwhile */
        }
        done += n > 0 ? n : 0;
    }
    return 0;
}

static int open_regular(const char *path, const char *what, size_t n_most, struct stat *ret_st,
                        int *ret_fd, char *why)
{
    /* O_NONBLOCK: a FIFO must not hold us up before fstat() tells. */
    CLEANUP(closep)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, ret_st) < 0) {
        int error = errno;

        snprintf(why, PACKAGE_WHY_BYTES_MAX, "%s cannot be opened: %s", what,
                 error == ELOOP ? "it is a symbolic link; name the file itself" : strerror(error));
        return error == ELOOP || error == ENOENT ? PACKAGE_E_BAD : -error;
    }
    if (!S_ISREG(ret_st->st_mode)) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX, "%s is not a regular file", what);
        return PACKAGE_E_BAD;
    }
    if (ret_st->st_size > (off_t)n_most) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX, "%s is larger than %zu bytes", what, n_most);
        return PACKAGE_E_BAD;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int memory_load(const char *path, const char *what, size_t n_most, int *ret_fd, size_t *ret_n,
                char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(closep) int file = -1;
    CLEANUP(closep) int memory = -1;
    struct stat st;
    int r = open_regular(path, what, n_most, &st, &file, ret_why);

    if (r != 0) {
        return r;
    }
    memory = make("pes-package", MFD_NOEXEC_SEAL);
    r = memory < 0 ? memory : copy_file(file, memory, st.st_size);
    if (r == 0) {
        r = seal(memory);
    }
    if (r < 0) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "%s cannot be read: %s", what, strerror(-r));
        return r;
    }
    *ret_fd = TAKE_FD(memory);
    *ret_n = (size_t)st.st_size;
    return 0;
}

int memory_copy_module(int package, const struct manifest_file *file, int *ret_fd)
{
    CLEANUP(closep) int memory = make(file->name, MFD_EXEC);
    uint8_t digest[SHA256_DIGEST_BYTES];
    uint8_t chunk[16384];
    struct sha256 hash;
    uint64_t done = 0;
    int r = memory < 0 ? memory : 0;

    sha256_init(&hash);
    while (r == 0 && done < file->n_bytes) {
        size_t want =
            file->n_bytes - done < sizeof(chunk) ? (size_t)(file->n_bytes - done) : sizeof(chunk);
        ssize_t n = pread(package, chunk, want, (off_t)(file->offset + done));

        if (n <= 0) {
            return n < 0 ? -errno : -EBADMSG;
        }
        sha256_update(&hash, chunk, (size_t)n);
        r = write_all(memory, chunk, (size_t)n);
        done += (uint64_t)n;
    }
    sha256_final(&hash, digest);
    if (r == 0 && memcmp(digest, file->sha256, sizeof(digest)) != 0) {
        r = -EBADMSG;
    }
    if (r == 0) {
        r = seal(memory);
    }
    if (r == 0) {
        *ret_fd = TAKE_FD(memory);
    }
    return r;
}

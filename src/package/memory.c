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
#include <unistd.h>

#include "sys/sealed_memory.h"

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
    CLEANUP(closep) int fd = sealed_memory_new(name, false);
    int r = fd < 0 ? fd : write_all(fd, bytes, n_bytes);

    if (r == 0) {
        r = sealed_memory_seal(fd);
    }
    if (r == 0) {
        *ret_fd = TAKE_FD(fd);
    }
    return r;
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
    memory = sealed_memory_new("pes-package", false);
    r = memory < 0 ? memory : sealed_memory_copy(memory, file, st.st_size);
    if (r == 0) {
        r = sealed_memory_seal(memory);
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
    CLEANUP(closep) int memory = sealed_memory_new(file->name, true);
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
        r = sealed_memory_seal(memory);
    }
    if (r == 0) {
        *ret_fd = TAKE_FD(memory);
    }
    return r;
}

/*
 * Gives a worker the bytes that it is to judge.
 *
 * A memfd is mapped read-only, after its seals were checked: bytes that could still be written,
 * or a file that could shrink under the mapping (SIGBUS), are not judged at all. It is unmapped
 * before the next question, and its descriptor is closed at once.
 *
 * A stream comes as a row of memfds. They are mapped one behind the other, so that an engine sees
 * one piece of memory and need not know. All but the last fill whole pages, or there would be a
 * gap.
 */
#include "host/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

/* Length of a memfd that cannot change any more. Returns it, -EBADMSG or -errno. */
static int64_t sealed_bytes(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;

    if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED) {
        return -EBADMSG;
    }
    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    return st.st_size > 0 ? st.st_size : -EBADMSG;
}

/* Puts the row at `at`, where `n_bytes` of address space are reserved. Returns as
 * content_open(). */
static int map_row(uint8_t *at, uint64_t n_bytes, const int *fds, size_t n_fds)
{
    const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < n_fds; i++) {
        int64_t n = sealed_bytes(fds[i]);
        bool is_last = i + 1 == n_fds;

        if (n < 0) {
            return (int)n;
        }
        if ((uint64_t)n > n_bytes ||
            (is_last ? (uint64_t)n != n_bytes : (uint64_t)n % page_bytes)) {
            return -EBADMSG;
        }
        if (mmap(at, (size_t)n, PROT_READ, MAP_SHARED | MAP_FIXED, fds[i], 0) == MAP_FAILED) {
            return -errno;
        }
        at += n;
        n_bytes -= (uint64_t)n;
    }
    return 0;
}

int content_open(struct content *content, const struct wire_scan *scan, const int *fds,
                 size_t n_fds)
{
    int r;

    if (n_fds == 0) {
        if (scan->content.size != scan->content_bytes) {
            return -EBADMSG;
        }
        if (scan->content.size > 0) {
            content->bytes = scan->content.data;
            content->n_bytes = scan->content.size;
        }
        return 0;
    }
    if (scan->content.size != 0 || scan->content_bytes == 0 || scan->content_bytes > SIZE_MAX / 2) {
        return -EBADMSG;
    }
    content->mapping = mmap(NULL, (size_t)scan->content_bytes, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (content->mapping == MAP_FAILED) {
        content->mapping = NULL;
        return -errno;
    }
    content->bytes = content->mapping;
    content->n_bytes = (size_t)scan->content_bytes;
    r = map_row(content->mapping, scan->content_bytes, fds, n_fds);
    if (r < 0) {
        content_fini(content);
    }
    return r;
}

void content_fini(struct content *content)
{
    if (content->mapping) {
        munmap(content->mapping, content->n_bytes);
    }
    *content = (struct content)CONTENT_INIT;
}

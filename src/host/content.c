/*
 * Gives a worker the bytes that it is to judge.
 *
 * A memfd is mapped read-only, after its seals were checked: bytes that could still be written,
 * or a file that could shrink under the mapping (SIGBUS), are not judged at all. It is unmapped
 * before the next question, and its descriptor is closed at once.
 */
#include "host/content.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS_NEEDED (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int content_open(struct content *content, const struct wire_scan *scan, int fd)
{
    struct stat st;
    int seals;

    if (fd < 0) {
        if (scan->content.size != scan->content_bytes) {
            return -EBADMSG;
        }
        if (scan->content.size > 0) {
            content->bytes = scan->content.data;
            content->n_bytes = scan->content.size;
        }
        return 0;
    }
    seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED || scan->content.size != 0) {
        return -EBADMSG;
    }
    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (st.st_size <= 0 || (uint64_t)st.st_size != scan->content_bytes) {
        return -EBADMSG;
    }
    content->mapping = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (content->mapping == MAP_FAILED) {
        content->mapping = NULL;
        return -errno;
    }
    content->bytes = content->mapping;
    content->n_bytes = (size_t)st.st_size;
    return 0;
}

void content_fini(struct content *content)
{
    if (content->mapping) {
        munmap(content->mapping, content->n_bytes);
    }
    *content = (struct content)CONTENT_INIT;
}

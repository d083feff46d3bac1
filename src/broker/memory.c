/*
 * Content in memory that the broker makes and the client fills.
 *
 * Made here and nowhere else: of a fixed size, never executable, sealed against growing and
 * shrinking before the client sees it. When the client says that it is done, the seals are looked
 * at, never added: adding one sleeps for as long as the client pins a page. A sparse file would be
 * allocated at our cost when it is read, so that every block must be there.
 *
 * A stream's segments are made and checked one by one, and then kept as a row under the stream's
 * own handle.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/shell.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif

#define SEALS_WANTED   (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define LOOP_BYTES_MAX (64u << 10)

static int memory_new(uint64_t n_bytes)
{
    CLEANUP(closep) int fd = memfd_create("pes", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create("pes", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before Linux 6.3 */
    }
    if (fd < 0 || ftruncate(fd, (off_t)n_bytes) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0) {
        return -errno;
    }
    return TAKE_FD(fd);
}

static void memory_append(struct memory *memory, int fd, uint64_t n_bytes)
{
    assert(memory->n_fds < CONTENT_ROW_MAX);
    if (memory->n_fds == 0) {
        memory->segment_bytes = n_bytes;
    }
    memory->fds[memory->n_fds++] = fd;
    memory->n_bytes += n_bytes;
}

/* Puts it behind what is there. */
static int memory_add(struct shell *shell, uint32_t handle, int fd, uint64_t n_bytes)
{
    if (handle >= shell->n_memories) {
        size_t n = handle + 64u;
        struct memory *memories = reallocarray(shell->memories, n, sizeof(*memories));

        if (!memories) {
            return -ENOMEM;
        }
        memset(memories + shell->n_memories, 0, (n - shell->n_memories) * sizeof(*memories));
        shell->memories = memories;
        shell->n_memories = n;
    }
    memory_append(&shell->memories[handle], fd, n_bytes);
    return 0;
}

void memory_make(struct shell *shell, uint32_t handle, uint64_t n_bytes)
{
    CLEANUP(closep) int fd = memory_new(n_bytes);
    struct outcome *outcome = shell_outcome(shell, EVENT_CONTENT_MADE);

    outcome->event.content = handle;
    outcome->event.error = fd < 0 ? fd : memory_add(shell, handle, fd, n_bytes);
    if (outcome->event.error == 0) {
        (void)TAKE_FD(fd);
    }
}

const struct memory *memory_get(const struct shell *shell, uint32_t handle)
{
    static const struct memory none;

    return handle < shell->n_memories ? &shell->memories[handle] : &none;
}

void memory_join(struct shell *shell, uint32_t handle, uint32_t segment)
{
    const struct memory *memory = memory_get(shell, segment);
    int fd = memory->fds[0];

    /* The table may move while it grows: what is left of `memory` is looked up again. */
    if (memory->n_fds != 1 || memory_add(shell, handle, fd, memory->n_bytes) < 0) {
        shell->actions.is_broken = true;
        return;
    }
    shell->memories[segment] = (struct memory){0};
}

void memory_check(struct shell *shell, uint32_t handle)
{
    struct outcome *outcome = shell_outcome(shell, EVENT_CONTENT_CHECKED);
    const struct memory *memory = memory_get(shell, handle);
    int fd = memory->n_fds == 1 ? memory->fds[0] : -1;
    struct stat st;
    int seals;

    outcome->event.content = handle;
    seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS_WANTED) != SEALS_WANTED || fstat(fd, &st) < 0 ||
        (uint64_t)st.st_size != memory->n_bytes ||
        (uint64_t)st.st_blocks * 512u < (uint64_t)st.st_size) {
        outcome->event.error = -EBADMSG;
    }
}

static void hashed(struct shell *shell, uint32_t handle, const uint8_t *digest)
{
    struct outcome *outcome = shell_outcome(shell, EVENT_CONTENT_HASHED);

    outcome->event.content = handle;
    memcpy(outcome->digest, digest, sizeof(outcome->digest));
}

void memory_hash(struct shell *shell, uint32_t handle)
{
    const struct memory *memory = memory_get(shell, handle);
    const struct large_row row = {memory->fds, memory->n_fds, memory->segment_bytes,
                                  memory->n_bytes};
    uint8_t digest[SHA256_DIGEST_BYTES];

    if (row.n_bytes > LOOP_BYTES_MAX && large_work_hash(&shell->large_work, handle, &row) == 0) {
        return;
    }
    /* Small, or no memory to hand it over: sealed memory cannot fail to be read. */
    if (large_work_digest(&row, digest) < 0) {
        shell->actions.is_broken = true;
        return;
    }
    hashed(shell, handle, digest);
}

void memory_hashed(struct shell *shell)
{
    struct large_job *job;

    while ((job = large_work_take(&shell->large_work))) {
        const struct event event = {
            .type = EVENT_CONTENT_HASHED, .content = job->handle, .digest = job->digest};

        if (job->error < 0) {
            shell->actions.is_broken = true;
        } else {
            shell_feed(shell, &event);
        }
        free(job);
    }
}

void memory_free(struct shell *shell, uint32_t handle)
{
    const struct memory *memory = memory_get(shell, handle);

    for (size_t i = 0; i < memory->n_fds; i++) {
        if (memory->n_bytes > LOOP_BYTES_MAX) {
            large_work_close(&shell->large_work, memory->fds[i]);
        } else {
            close(memory->fds[i]);
        }
    }
    if (memory->n_fds > 0) {
        shell->memories[handle] = (struct memory){0};
    }
}

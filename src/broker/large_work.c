/*
 * One thread beside the loop.
 *
 * It reads sealed memory and closes it, nothing else; it shares two queues with the loop under one
 * lock that neither holds for longer than it takes to link a job. Hashes take turns of a megabyte
 * each, so that a small one does not wait for all the large ones that came before it.
 */
#include "broker/large_work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CHUNK_BYTES 65536u
#define TURN_BYTES  (UINT64_C(1) << 20)

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Hashes from *at to `end`. */
static int hash_until(const struct large_row *row, struct sha256 *hash, uint64_t *at, uint64_t end)
{
    static _Thread_local uint8_t chunk[CHUNK_BYTES];

    while (*at < end) {
        uint64_t within = *at % row->segment_bytes;
        uint64_t n_left = least(end - *at, row->segment_bytes - within);
        size_t n_wanted = (size_t)least(n_left, CHUNK_BYTES);
        ssize_t n = pread(row->fds[*at / row->segment_bytes], chunk, n_wanted, (off_t)within);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -EIO;
        }
        sha256_update(hash, chunk, (size_t)n);
        *at += (uint64_t)n;
    }
    return 0;
}

int large_work_digest(const struct large_row *row, uint8_t ret_digest[SHA256_DIGEST_BYTES])
{
    struct sha256 hash;
    uint64_t at = 0;
    int r;

    sha256_init(&hash);
    r = hash_until(row, &hash, &at, row->n_bytes);
    if (r == 0) {
        sha256_final(&hash, ret_digest);
    }
    return r;
}

static void add(struct large_work *work, struct large_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&work->lock);
    if (work->first_todo) {
        work->last_todo->next = job;
    } else {
        work->first_todo = job;
    }
    work->last_todo = job;
    pthread_cond_signal(&work->wake);
    pthread_mutex_unlock(&work->lock);
}

static void finish_hash(struct large_work *work, struct large_job *job)
{
    static const uint64_t one = 1;

    if (job->error == 0) {
        sha256_final(&job->hash, job->digest);
    }
    pthread_mutex_lock(&work->lock);
    job->next = work->done;
    work->done = job;
    pthread_mutex_unlock(&work->lock);
    /* A full counter is as good as a rung one. */
    if (write(work->event_fd, &one, sizeof(one)) < 0) {
        return;
    }
}

static void take_turn(struct large_work *work, struct large_job *job)
{
    job->error = hash_until(&job->row, &job->hash, &job->at,
                            job->at + least(job->row.n_bytes - job->at, TURN_BYTES));
    if (job->error == 0 && job->at < job->row.n_bytes) {
        add(work, job);
    } else {
        finish_hash(work, job);
    }
}

static void *run(void *data)
{
    struct large_work *work = data;

    pthread_mutex_lock(&work->lock);
    while (!work->is_ending) {
        struct large_job *job = work->first_todo;

        if (!job) {
            pthread_cond_wait(&work->wake, &work->lock);
            continue;
        }
        work->first_todo = job->next;
        pthread_mutex_unlock(&work->lock);
        if (job->is_close) {
            close(job->fds[0]);
            free(job);
        } else {
            take_turn(work, job);
        }
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

int large_work_init(struct large_work *work)
{
    int r;

    *work = (struct large_work){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (work->event_fd < 0) {
        return -errno;
    }
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->wake, NULL);
    r = pthread_create(&work->thread, NULL, run, work);
    if (r != 0) {
        close(work->event_fd);
        return -r;
    }
    return 0;
}

void large_work_fini(struct large_work *work)
{
    struct large_job *job;

    pthread_mutex_lock(&work->lock);
    work->is_ending = true;
    pthread_cond_signal(&work->wake);
    pthread_mutex_unlock(&work->lock);
    pthread_join(work->thread, NULL);
    while ((job = work->first_todo)) {
        work->first_todo = job->next;
        if (job->is_close) {
            close(job->fds[0]);
        }
        free(job);
    }
    while ((job = work->done)) {
        work->done = job->next;
        free(job);
    }
    pthread_cond_destroy(&work->wake);
    pthread_mutex_destroy(&work->lock);
    close(work->event_fd);
}

int large_work_hash(struct large_work *work, uint32_t handle, const struct large_row *row)
{
    struct large_job *job = calloc(1, sizeof(*job) + row->n_fds * sizeof(job->fds[0]));

    if (!job) {
        return -ENOMEM;
    }
    memcpy(job->fds, row->fds, row->n_fds * sizeof(job->fds[0]));
    job->handle = handle;
    job->row = *row;
    job->row.fds = job->fds;
    sha256_init(&job->hash);
    add(work, job);
    return 0;
}

void large_work_close(struct large_work *work, int fd)
{
    struct large_job *job = calloc(1, sizeof(*job) + sizeof(job->fds[0]));

    if (!job) {
        close(fd);
        return;
    }
    job->fds[0] = fd;
    job->is_close = true;
    add(work, job);
}

struct large_job *large_work_take(struct large_work *work)
{
    struct large_job *job;
    uint64_t count;

    if (read(work->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
        return NULL;
    }
    pthread_mutex_lock(&work->lock);
    job = work->done;
    if (job) {
        work->done = job->next;
    }
    pthread_mutex_unlock(&work->lock);
    return job;
}

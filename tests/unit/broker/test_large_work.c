/* The thread beside the broker's loop. */
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/large_work.h"
#include "testing.h"

#define LARGE_BYTES (UINT64_C(100) << 20)
#define SMALL_BYTES UINT64_C(100000)

static int zeros(uint64_t n_bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0 && ftruncate(fd, (off_t)n_bytes) == 0);
    return fd;
}

static struct large_job *wait_for_one(struct large_work *work)
{
    struct pollfd pollfd = {.fd = work->event_fd, .events = POLLIN};
    struct large_job *job;

    while (!(job = large_work_take(work))) {
        assert_int_equal(poll(&pollfd, 1, 60000), 1);
    }
    return job;
}

static void a_small_digest_does_not_wait_for_the_large_ones_before_it(void **state)
{
    int large = zeros(LARGE_BYTES), small = zeros(SMALL_BYTES);
    uint8_t digest[SHA256_DIGEST_BYTES];
    struct large_work work;
    struct large_job *job;

    (void)state;
    assert_int_equal(large_work_init(&work), 0);
    assert_int_equal(
        large_work_hash(&work, 1, &(struct large_row){&large, 1, LARGE_BYTES, LARGE_BYTES}), 0);
    assert_int_equal(
        large_work_hash(&work, 2, &(struct large_row){&large, 1, LARGE_BYTES, LARGE_BYTES}), 0);
    assert_int_equal(
        large_work_hash(&work, 3, &(struct large_row){&small, 1, SMALL_BYTES, SMALL_BYTES}), 0);
    job = wait_for_one(&work);
    assert_int_equal(job->handle, 3);
    assert_int_equal(job->error, 0);
    assert_int_equal(
        large_work_digest(&(struct large_row){&small, 1, SMALL_BYTES, SMALL_BYTES}, digest), 0);
    assert_memory_equal(job->digest, digest, sizeof(digest));
    free(job);
    job = wait_for_one(&work);
    assert_int_equal(
        large_work_digest(&(struct large_row){&large, 1, LARGE_BYTES, LARGE_BYTES}, digest), 0);
    assert_memory_equal(job->digest, digest, sizeof(digest));
    free(job);
    large_work_close(&work, large);
    large_work_close(&work, small);
    large_work_fini(&work); /* with work left */
}

static void a_row_has_the_digest_of_all_of_it(void **state)
{
    const uint64_t segment_bytes = 300000; /* no multiple of what is read at once */
    const uint64_t n_bytes = 2 * segment_bytes + 7;
    uint8_t *bytes = malloc(n_bytes);
    uint8_t expected[SHA256_DIGEST_BYTES];
    struct large_work work;
    struct large_job *job;
    int fds[3];

    (void)state;
    for (uint64_t i = 0; i < n_bytes; i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 4099);
    }
    for (size_t i = 0; i < 3; i++) {
        size_t n = i < 2 ? segment_bytes : 7;

        fds[i] = zeros(n);
        assert_int_equal(pwrite(fds[i], bytes + i * segment_bytes, n, 0), n);
    }
    sha256_digest(bytes, n_bytes, expected);
    assert_int_equal(large_work_init(&work), 0);
    assert_int_equal(large_work_hash(&work, 1, &(struct large_row){fds, 3, segment_bytes, n_bytes}),
                     0);
    job = wait_for_one(&work);
    assert_int_equal(job->error, 0);
    assert_memory_equal(job->digest, expected, sizeof(expected));
    free(job);
    for (size_t i = 0; i < 3; i++) {
        large_work_close(&work, fds[i]);
    }
    large_work_fini(&work);
    free(bytes);
}

static void what_cannot_be_read_is_told(void **state)
{
    struct large_work work;
    struct large_job *job;
    int fd = zeros(10);

    (void)state;
    assert_int_equal(large_work_init(&work), 0);
    assert_int_equal(
        large_work_hash(&work, 1, &(struct large_row){&fd, 1, LARGE_BYTES, LARGE_BYTES}), 0);
    job = wait_for_one(&work);
    assert_true(job->error < 0);
    free(job);
    large_work_fini(&work);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_digest_does_not_wait_for_the_large_ones_before_it),
        cmocka_unit_test(a_row_has_the_digest_of_all_of_it),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Content: only bytes that cannot change any more, and exactly as many as were said. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "host/content.h"
#include "testing.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static int make(size_t n, int seals)
{
    int fd = memfd_create("content", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)n), 0);
    assert_int_equal(pwrite(fd, "hello", n < 5 ? n : 5, 0), n < 5 ? n : 5);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void inline_bytes_are_taken_as_they_are(void **state)
{
    struct wire_scan scan = {.content = {(const uint8_t *)"abc", 3}, .content_bytes = 3};
    struct content content = CONTENT_INIT;

    assert_int_equal(content_open(&content, &scan, NULL, 0), 0);
    assert_int_equal(content.n_bytes, 3);
    assert_memory_equal(content.bytes, "abc", 3);
    content_fini(&content);
    assert_int_equal(content.n_bytes, 0);
    assert_non_null(content.bytes);
}

static void no_bytes_are_still_a_pointer(void **state)
{
    struct wire_scan scan = {.content_bytes = 0};
    struct content content = CONTENT_INIT;

    assert_int_equal(content_open(&content, &scan, NULL, 0), 0);
    assert_non_null(content.bytes);
    assert_int_equal(content.n_bytes, 0);
}

static void a_length_that_differs_is_refused(void **state)
{
    struct wire_scan scan = {.content = {(const uint8_t *)"abc", 3}, .content_bytes = 4};
    struct content content = CONTENT_INIT;
    CLEANUP(closep) int fd = make(100, SEALS);

    assert_int_equal(content_open(&content, &scan, NULL, 0), -EBADMSG);
    scan = (struct wire_scan){.content_bytes = 99};
    assert_int_equal(content_open(&content, &scan, &fd, 1), -EBADMSG);
    scan.content_bytes = 101;
    assert_int_equal(content_open(&content, &scan, &fd, 1), -EBADMSG);
    scan.content_bytes = 100;
    assert_int_equal(content_open(&content, &scan, &fd, 1), 0);
    assert_memory_equal(content.bytes, "hello", 5);
    content_fini(&content);
}

static void every_missing_seal_is_refused(void **state)
{
    const int seals[] = {F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK};
    struct wire_scan scan = {.content_bytes = 10};
    struct content content = CONTENT_INIT;

    for (size_t i = 0; i < 3; i++) {
        CLEANUP(closep) int fd = make(10, SEALS & ~seals[i]);

        assert_int_equal(content_open(&content, &scan, &fd, 1), -EBADMSG);
    }
}

static void what_is_no_memfd_is_refused(void **state)
{
    struct wire_scan scan = {.content_bytes = 10};
    struct content content = CONTENT_INIT;
    CLEANUP(closep) int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CLEANUP(closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    assert_int_equal(content_open(&content, &scan, &file, 1), -EBADMSG);
    assert_int_equal(content_open(&content, &scan, &null, 1), -EBADMSG);
}

static void inline_bytes_beside_a_memfd_are_refused(void **state)
{
    struct wire_scan scan = {.content = {(const uint8_t *)"abc", 3}, .content_bytes = 10};
    struct content content = CONTENT_INIT;
    CLEANUP(closep) int fd = make(10, SEALS);

    assert_int_equal(content_open(&content, &scan, &fd, 1), -EBADMSG);
}

static void an_empty_memfd_is_refused(void **state)
{
    struct wire_scan scan = {.content_bytes = 0};
    struct content content = CONTENT_INIT;
    CLEANUP(closep) int fd = make(0, SEALS);

    assert_int_equal(content_open(&content, &scan, &fd, 1), -EBADMSG);
}

/* A row of memfds of these lengths, each filled with a letter of its own. */
static void make_row(int *fds, const size_t *lengths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *bytes = malloc(lengths[i]);

        memset(bytes, 'a' + (int)i, lengths[i]);
        fds[i] = make(lengths[i], 0);
        assert_int_equal(pwrite(fds[i], bytes, lengths[i], 0), lengths[i]);
        assert_int_equal(fcntl(fds[i], F_ADD_SEALS, SEALS), 0);
        free(bytes);
    }
}

static void close_row(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        close(fds[i]);
    }
}

static void a_row_is_seen_as_one_piece(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t lengths[] = {2 * page, 2 * page, 5};
    struct wire_scan scan = {.content_bytes = 4 * page + 5};
    struct content content = CONTENT_INIT;
    int fds[3];

    make_row(fds, lengths, 3);
    assert_int_equal(content_open(&content, &scan, fds, 3), 0);
    close_row(fds, 3);
    assert_int_equal(content.n_bytes, 4 * page + 5);
    for (size_t i = 0; i < content.n_bytes; i++) {
        assert_int_equal(content.bytes[i], 'a' + i / (2 * page));
    }
    content_fini(&content);
}

static void a_row_with_a_gap_is_refused(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t lengths[] = {page, page + 1, 5};
    struct wire_scan scan = {.content_bytes = 2 * page + 6};
    struct content content = CONTENT_INIT;
    int fds[3];

    make_row(fds, lengths, 3);
    assert_int_equal(content_open(&content, &scan, fds, 3), -EBADMSG);
    assert_null(content.mapping);
    close_row(fds, 3);
}

static void a_row_of_another_length_is_refused(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t lengths[] = {page, page, page};
    const uint64_t wrong[] = {1, page, 2 * page, 3 * page - 1, 3 * page + 1, 4 * page};
    struct content content = CONTENT_INIT;
    int fds[3];

    make_row(fds, lengths, 3);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct wire_scan scan = {.content_bytes = wrong[i]};

        assert_int_equal(content_open(&content, &scan, fds, 3), -EBADMSG);
    }
    close_row(fds, 3);
}

static void a_row_with_one_that_can_change_is_refused(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct wire_scan scan = {.content_bytes = 2 * page};
    struct content content = CONTENT_INIT;
    int fds[2] = {make(page, SEALS), make(page, SEALS & ~F_SEAL_WRITE)};

    assert_int_equal(content_open(&content, &scan, fds, 2), -EBADMSG);
    close_row(fds, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_bytes_are_taken_as_they_are),
        cmocka_unit_test(no_bytes_are_still_a_pointer),
        cmocka_unit_test(a_length_that_differs_is_refused),
        cmocka_unit_test(every_missing_seal_is_refused),
        cmocka_unit_test(what_is_no_memfd_is_refused),
        cmocka_unit_test(inline_bytes_beside_a_memfd_are_refused),
        cmocka_unit_test(an_empty_memfd_is_refused),
        cmocka_unit_test(a_row_is_seen_as_one_piece),
        cmocka_unit_test(a_row_with_a_gap_is_refused),
        cmocka_unit_test(a_row_of_another_length_is_refused),
        cmocka_unit_test(a_row_with_one_that_can_change_is_refused),
    };

    return cmocka_run_group_tests_name("host/content", tests, NULL, NULL);
}

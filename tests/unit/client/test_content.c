/* Bytes on their way to the broker, and back to the application: exactly those, or none. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client_fixture.h"
#include "sys/clock.h"

#define LARGE_BYTES 300000u

static uint8_t *pattern(size_t n_bytes)
{
    uint8_t *bytes = malloc(n_bytes);

    assert_non_null(bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    return bytes;
}

/* An unlinked file with these bytes. */
static int file_of(const void *bytes, size_t n_bytes)
{
    char path[] = "/tmp/pes-content-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(pwrite(fd, bytes, n_bytes, 0), (ssize_t)n_bytes);
    return fd;
}

/* The content can be taken once, is sealed, and is these bytes. */
static void takes(struct pes_answer *answer, const void *bytes, size_t n_bytes)
{
    int fd = pes_answer_take_content(answer);
    uint8_t *got = malloc(n_bytes + 1);

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS), fcntl(fd, F_GET_SEALS) | (F_SEAL_SEAL | F_SEAL_SHRINK |
                                                                       F_SEAL_GROW | F_SEAL_WRITE));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pread(fd, got, n_bytes + 1, 0), (ssize_t)n_bytes);
    assert_memory_equal(got, bytes, n_bytes);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
    free(got);
    close(fd);
}

/* What the broker saw, noted by the handler. */
struct seen {
    ssize_t n_bytes;
    uint8_t *bytes;
};

static bool look(struct fake_broker *fake, struct fake_connection *connection,
                 const struct wire_frame *frame)
{
    struct seen *seen = fake->data;

    if (frame->type == WIRE_TYPE_ASK) {
        seen->n_bytes =
            fake_content_bytes(fake, connection, &frame->ask, seen->bytes, LARGE_BYTES + 1);
    }
    return false;
}

static struct pes_answer *ask_looking(struct fixture *fixture, struct pes_request *request,
                                      struct seen *seen)
{
    struct pes_answer *answer = pes_ask(request);

    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_int_equal(fixture_info(answer).error, 0);
    assert_int_equal(seen->n_bytes, (ssize_t)fixture_info(answer).content_bytes);
    return answer;
}

static void start_looking(struct fixture *fixture, struct seen *seen)
{
    *seen = (struct seen){.bytes = calloc(1, LARGE_BYTES + 1), .n_bytes = -2};
    fixture->fake.handler = look;
    fixture->fake.data = seen;
    fake_broker_start(&fixture->fake);
}

static void bytes_of_every_length_arrive_and_come_back(void **state)
{
    static const size_t lengths[] = {0, 1, 32767, 32768, 32769, LARGE_BYTES};
    uint8_t *bytes = pattern(LARGE_BYTES);

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        void *inner;
        struct fixture *fixture;
        struct pes_request *request;
        struct pes_answer *answer;
        struct seen seen;

        fixture_setup_down(&inner);
        fixture = inner;
        start_looking(fixture, &seen);
        request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        assert_int_equal(pes_request_bytes(request, bytes, lengths[i]), 0);
        assert_int_equal(pes_request_bytes(request, bytes, 1), -PES_E_INVALID_ARGUMENT);
        answer = ask_looking(fixture, request, &seen);
        assert_int_equal(seen.n_bytes, lengths[i]);
        assert_memory_equal(seen.bytes, bytes, lengths[i]);
        takes(answer, bytes, lengths[i]);
        pes_answer_close(answer, PES_DID_RUN);
        free(seen.bytes);
        fixture_teardown(&inner);
    }
    free(bytes);
}

static void a_file_arrives_and_comes_back(void **state)
{
    static const size_t lengths[] = {0, 5, 32768, 65536, LARGE_BYTES};
    uint8_t *bytes = pattern(LARGE_BYTES);

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        void *inner;
        struct fixture *fixture;
        struct pes_request *request;
        struct pes_answer *answer;
        struct seen seen;
        int fd = file_of(bytes, lengths[i]);

        fixture_setup_down(&inner);
        fixture = inner;
        start_looking(fixture, &seen);
        request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        lseek(fd, 3, SEEK_SET); /* where it stands does not matter, and stays */
        assert_int_equal(pes_request_file(request, fd), 0);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
        answer = ask_looking(fixture, request, &seen);
        assert_memory_equal(seen.bytes, bytes, lengths[i]);
        /* Whatever becomes of the file now. */
        assert_int_equal(ftruncate(fd, 0), 0);
        takes(answer, bytes, lengths[i]);
        pes_answer_close(answer, PES_DID_RUN);
        close(fd);
        free(seen.bytes);
        fixture_teardown(&inner);
    }
    free(bytes);
}

static void lent_memory_is_given_back_after_the_answer(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(LARGE_BYTES);
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);

    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
    fixture_ask(request);
    fake_broker_await(&fixture->fake, WIRE_TYPE_RELEASE, 1);
    free(bytes);
}

static void lent_memory_is_given_back_without_a_question(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(LARGE_BYTES);
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);

    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
    pes_request_free(request); /* and nothing else is called */
    fake_broker_await(&fixture->fake, WIRE_TYPE_RELEASE, 1);
    free(bytes);
}

static void what_is_no_regular_file_is_refused_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    int fds[] = {
        open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        open("/dev/zero", O_RDONLY | O_CLOEXEC),
        -1,
    };
    int pipe_fds[2];

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pes_request_file(request, fds[i]), -PES_E_INVALID_ARGUMENT);
    }
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(pes_request_file(request, pipe_fds[0]), -PES_E_INVALID_ARGUMENT);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    close(fds[0]);
    close(fds[1]);
    pes_request_free(request);
}

static void a_file_that_cannot_be_read_says_why(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    char path[] = "/tmp/pes-content-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC), write_only;

    assert_int_equal(write(fd, "abc", 3), 3);
    write_only = open(path, O_WRONLY | O_CLOEXEC);
    errno = 0;
    assert_int_equal(pes_request_file(request, write_only), -PES_E_IO);
    assert_int_equal(errno, EBADF);
    /* And it still can be given content. */
    assert_int_equal(pes_request_file(request, fd), 0);
    unlink(path);
    close(fd);
    close(write_only);
    pes_request_free(request);
}

/* Files whose size is not what can be read of them stand for files that change meanwhile. */
static void a_file_that_grows_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

    assert_int_equal(pes_request_file(request, fd), -PES_E_CHANGED);
    close(fd);
    pes_request_free(request);
}

/* The broker grants the memory only after the file has become shorter. */
static bool cut_first(struct fake_broker *fake, struct fake_connection *connection,
                      const struct wire_frame *frame)
{
    const int *fd = fake->data;

    if (frame->type == WIRE_TYPE_RESERVE && ftruncate(*fd, LARGE_BYTES / 2) < 0) {
        abort();
    }
    return false;
}

static bool touch_first(struct fake_broker *fake, struct fake_connection *connection,
                        const struct wire_frame *frame)
{
    const int *fd = fake->data;

    if (frame->type == WIRE_TYPE_RESERVE && pwrite(*fd, "!", 1, LARGE_BYTES - 1) != 1) {
        abort();
    }
    return false;
}

static void a_large_file_that_changes_is_refused_and_can_be_tried_again(void **state)
{
    fake_handler handlers[] = {cut_first, touch_first};
    uint8_t *bytes = pattern(LARGE_BYTES);

    for (size_t i = 0; i < 2; i++) {
        void *inner;
        struct fixture *fixture;
        struct pes_request *request;
        int fd = file_of(bytes, LARGE_BYTES);
        /* Its times must be able to move on: file times are only as fine as the clock's ticks. */
        const struct timespec past[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

        assert_int_equal(futimens(fd, past), 0);
        fixture_setup_down(&inner);
        fixture = inner;
        fixture->fake.handler = handlers[i];
        fixture->fake.data = &fd;
        fake_broker_start(&fixture->fake);
        request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        assert_int_equal(pes_request_file(request, fd), -PES_E_CHANGED);
        fake_broker_stop(&fixture->fake);
        fixture->fake.handler = NULL;
        fake_broker_start(&fixture->fake);
        assert_int_equal(pes_request_file(request, fd), 0);
        assert_int_equal(fixture_ask(request).error, 0);
        close(fd);
        fixture_teardown(&inner);
    }
    free(bytes);
}

static void too_large_is_said_and_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    uint8_t *bytes = pattern(LARGE_BYTES);

    fixture->fake.max_content_bytes = 100000;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), -PES_E_TOO_LARGE);
    fixture_ask(request);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_int_equal(fixture->fake.last_ask.has_no_content, 1);
    assert_int_equal(fixture->fake.last_ask.content_bytes, 0);
    assert_int_equal(fixture->fake.last_full_size, LARGE_BYTES);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_RESERVE), 0);
    free(bytes);
}

static void after_too_large_a_part_may_be_sent(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    uint8_t *bytes = pattern(LARGE_BYTES);

    fixture->fake.max_content_bytes = 100000;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), -PES_E_TOO_LARGE);
    assert_int_equal(pes_request_bytes(request, bytes, 100000), 0);
    fixture_ask(request);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_int_equal(fixture->fake.last_ask.content_bytes, 100000);
    assert_int_equal(fixture->fake.last_full_size, LARGE_BYTES);
    free(bytes);
}

static bool refuse_quota(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    struct wire_refusal refusal = {
        .type = WIRE_TYPE_RESERVE,
        .id = frame->reserve.content_id,
        .error = PES_E_QUOTA,
        .retry_after_ms = 100,
    };

    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    fake_send(connection, WIRE_TYPE_REFUSAL, &refusal);
    return true;
}

static void a_quota_is_passed_on(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    uint8_t *bytes = pattern(LARGE_BYTES);

    fixture->fake.handler = refuse_quota;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), -PES_E_QUOTA);
    assert_int_equal(pes_request_bytes(request, bytes, 10), 0); /* no content yet, so it may */
    assert_int_equal(fixture_ask(request).error, 0);
    free(bytes);
}

/* ---- a broker that takes its time */

/* Says nothing to what is asked in `held` until the test writes to the pipe. */
struct hold {
    enum wire_type held;
    int pipe[2];
    fake_handler then;
    struct seen seen;
};

static bool hold(struct fake_broker *fake, struct fake_connection *connection,
                 const struct wire_frame *frame)
{
    struct hold *hold = fake->data;
    char byte;

    if (frame->type == hold->held && fake->count++ == 0 && read(hold->pipe[0], &byte, 1) < 0) {
        abort();
    }
    if (frame->type == WIRE_TYPE_ASK) {
        hold->seen.n_bytes =
            fake_content_bytes(fake, connection, &frame->ask, hold->seen.bytes, LARGE_BYTES + 1);
    }
    return hold->then && hold->then(fake, connection, frame);
}

static void start_holding(struct fixture *fixture, struct hold *hold_back, enum wire_type held)
{
    *hold_back = (struct hold){.held = held, .seen = {.bytes = calloc(1, LARGE_BYTES + 1)}};
    assert_int_equal(pipe2(hold_back->pipe, O_CLOEXEC), 0);
    fixture->fake.handler = hold;
    fixture->fake.data = hold_back;
    fake_broker_start(&fixture->fake);
}

static void let_go(const struct hold *hold)
{
    assert_int_equal(write(hold->pipe[1], "", 1), 1);
}

static void stop_holding(struct fixture *fixture, struct hold *hold)
{
    close(hold->pipe[1]); /* whatever is still held */
    fake_broker_stop(&fixture->fake);
    close(hold->pipe[0]);
    free(hold->seen.bytes);
}

/* The order of the documented example: content first, then how long it may all take. */
static void a_broker_that_hangs_takes_no_longer_than_the_timeout(void **state)
{
    static const enum wire_type helds[] = {WIRE_TYPE_HELLO, WIRE_TYPE_RESERVE, WIRE_TYPE_ASK};
    uint8_t *bytes = pattern(LARGE_BYTES);

    for (size_t i = 0; i < 3; i++) {
        uint64_t from_us = clock_now_us();
        void *inner;
        struct fixture *fixture;
        struct pes_request *request;
        struct hold held;

        fixture_setup_down(&inner);
        fixture = inner;
        start_holding(fixture, &held, helds[i]);
        request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
        pes_request_timeout_ms(request, 600);
        assert_int_equal(fixture_ask(request).error, -PES_E_DEADLINE_PASSED);
        /* And a quarter of a second; the default would have been 5 s. */
        assert_true(clock_now_us() - from_us < 2000000);
        stop_holding(fixture, &held);
        fixture_teardown(&inner);
    }
    free(bytes);
}

static void what_is_lent_late_arrives_all_the_same(void **state)
{
    static const enum wire_type helds[] = {WIRE_TYPE_HELLO, WIRE_TYPE_RESERVE};
    uint8_t *bytes = pattern(LARGE_BYTES);

    for (size_t i = 0; i < 4; i++) {
        void *inner;
        struct fixture *fixture;
        struct pes_request *request;
        struct pes_answer *answer;
        struct hold held;
        int fd = file_of(bytes, LARGE_BYTES);

        fixture_setup_down(&inner);
        fixture = inner;
        start_holding(fixture, &held, helds[i / 2]);
        request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        assert_int_equal(i % 2 ? pes_request_file(request, fd)
                               : pes_request_bytes(request, bytes, LARGE_BYTES),
                         0);
        assert_int_equal(ftruncate(fd, 0), 0); /* it was copied by now */
        let_go(&held);
        answer = ask_looking(fixture, request, &held.seen);
        assert_int_equal(held.seen.n_bytes, LARGE_BYTES);
        assert_memory_equal(held.seen.bytes, bytes, LARGE_BYTES);
        takes(answer, bytes, LARGE_BYTES);
        pes_answer_close(answer, PES_DID_RUN);
        fake_broker_await(&fixture->fake, WIRE_TYPE_RELEASE, 1);
        stop_holding(fixture, &held);
        fixture_teardown(&inner);
        close(fd);
    }
    free(bytes);
}

static void what_is_refused_late_is_told_by_the_answer(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    uint8_t *bytes = pattern(LARGE_BYTES);
    struct pes_answer_info info;
    struct hold held;

    start_holding(fixture, &held, WIRE_TYPE_RESERVE);
    held.then = refuse_quota;
    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
    let_go(&held);
    info = fixture_ask(request);
    assert_int_equal(info.error, -PES_E_QUOTA);
    assert_int_equal(info.retry_after_ms, 100);
    assert_string_equal(info.quota, "bytes of content"); /* a constant of the library's */
    stop_holding(fixture, &held);
    free(bytes);
}

static void too_large_may_come_late_too(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    uint8_t *bytes = pattern(LARGE_BYTES);
    struct hold held;

    fixture->fake.max_content_bytes = 100000;
    start_holding(fixture, &held, WIRE_TYPE_HELLO);
    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
    let_go(&held);
    fixture_ask(request);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_int_equal(fixture->fake.last_ask.has_no_content, 1);
    assert_int_equal(fixture->fake.last_full_size, LARGE_BYTES);
    stop_holding(fixture, &held);
    free(bytes);
}

static void without_a_broker_large_content_is_accepted_and_nobody_looks(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_COMMAND_PASTED);
    uint8_t *bytes = pattern(LARGE_BYTES);
    struct pes_answer *answer;

    assert_int_equal(pes_request_bytes(request, bytes, LARGE_BYTES), 0);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_NO_BROKER);
    assert_int_equal(fixture_info(answer).content_bytes, LARGE_BYTES);
    assert_int_equal(fixture_info(answer).coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(pes_answer_action(answer), PES_ASK);
    assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

/* A broker with a lower inline limit is lent the content instead, without the application's
 * doing. */
static void content_above_the_broker_s_inline_limit_is_lent(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    uint8_t *bytes = pattern(10000);
    struct pes_answer *answer;

    fixture->fake.max_inline_bytes = 4096;
    fake_broker_start(&fixture->fake);
    assert_int_equal(pes_request_bytes(request, bytes, 10000), 0);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, 0);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_int_equal(fixture->fake.last_ask.content_id, 1);
    takes(answer, bytes, 10000);
    pes_answer_close(answer, PES_DID_RUN);
    free(bytes);
}

static void an_answer_without_content_has_none_to_take(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer = pes_ask(pes_request_new(fixture->ctx, PES_KIND_OPERATION));

    assert_int_equal(fixture_info(answer).error, 0);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_int_equal(fixture->fake.last_ask.has_no_content, 1);
    assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
    pes_answer_close(answer, PES_DID_RUN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_every_length_arrive_and_come_back),
        cmocka_unit_test(a_file_arrives_and_comes_back),
        FIXTURE_TEST(lent_memory_is_given_back_after_the_answer),
        FIXTURE_TEST(lent_memory_is_given_back_without_a_question),
        FIXTURE_TEST(what_is_no_regular_file_is_refused_at_once),
        FIXTURE_TEST(a_file_that_cannot_be_read_says_why),
        FIXTURE_TEST(a_file_that_grows_is_refused),
        cmocka_unit_test(a_large_file_that_changes_is_refused_and_can_be_tried_again),
        FIXTURE_TEST_DOWN(too_large_is_said_and_remembered),
        FIXTURE_TEST_DOWN(after_too_large_a_part_may_be_sent),
        FIXTURE_TEST_DOWN(a_quota_is_passed_on),
        cmocka_unit_test(a_broker_that_hangs_takes_no_longer_than_the_timeout),
        cmocka_unit_test(what_is_lent_late_arrives_all_the_same),
        FIXTURE_TEST_DOWN(what_is_refused_late_is_told_by_the_answer),
        FIXTURE_TEST_DOWN(too_large_may_come_late_too),
        FIXTURE_TEST_DOWN(without_a_broker_large_content_is_accepted_and_nobody_looks),
        FIXTURE_TEST_DOWN(content_above_the_broker_s_inline_limit_is_lent),
        FIXTURE_TEST(an_answer_without_content_has_none_to_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Content of unknown length: exactly those bytes arrive, whatever happens on the way, or none. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client_fixture.h"
#include "sys/clock.h"

#define SEGMENT ((size_t)1 << 20)

static uint8_t *pattern(size_t n_bytes)
{
    uint8_t *bytes = malloc(n_bytes + 1);

    assert_non_null(bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + i / 1000003);
    }
    return bytes;
}

static struct pes_request *stream_request(struct fixture *fixture)
{
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);

    assert_int_equal(pes_request_stream(request), 0);
    return request;
}

static void write_all(struct pes_request *request, const uint8_t *bytes, size_t n_bytes,
                      size_t piece)
{
    for (size_t at = 0; at < n_bytes; at += piece) {
        size_t n = n_bytes - at < piece ? n_bytes - at : piece;

        assert_int_equal(pes_stream_write(request, bytes + at, n), 0);
    }
}

/* The answer is "nothing found", about these bytes, which can be taken once. */
static void is_about(struct pes_answer *answer, const uint8_t *bytes, size_t n_bytes)
{
    struct pes_answer_info info = fixture_info(answer);
    uint8_t *got = malloc(n_bytes + 1);
    int fd;

    assert_int_equal(info.error, 0);
    assert_int_equal(info.verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(info.content_bytes, n_bytes);
    fd = pes_answer_take_content(answer);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS) & 0x0f, 0x0f);
    assert_int_equal(pread(fd, got, n_bytes + 1, 0), (ssize_t)n_bytes);
    assert_memory_equal(got, bytes, n_bytes);
    assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
    close(fd);
    free(got);
    pes_answer_close(answer, PES_DID_RUN);
}

static void a_stream_of_any_length_arrives_and_comes_back(void **state)
{
    static const size_t lengths[] = {
        0,       1,           32768,           32769,       SEGMENT - 1,
        SEGMENT, SEGMENT + 1, 3 * SEGMENT - 1, 3 * SEGMENT, 5 * SEGMENT + 7};
    static const size_t pieces[] = {1000, 65536, 3 * SEGMENT};
    uint8_t *bytes = pattern(6 * SEGMENT);

    for (size_t i = 0; i < 30; i++) {
        size_t n_bytes = lengths[i / 3], n_before;
        struct pes_request *request;
        struct fixture *fixture;
        void *inner;

        fixture_setup(&inner);
        fixture = inner;
        pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
        n_before = fixture_n_fds();
        request = stream_request(fixture);
        write_all(request, bytes, n_bytes, pieces[i % 3]);
        is_about(pes_ask(request), bytes, n_bytes);
        if (n_bytes > SEGMENT) {
            assert_int_equal(fixture->fake.n_stream, n_bytes);
            assert_memory_equal(fixture->fake.stream, bytes, n_bytes);
        } else if (n_bytes < SEGMENT) {
            assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_SEGMENT), 0);
            assert_int_equal(fixture_n_fds(),
                             n_before + (n_bytes > 32768)); /* the fake broker's own */
        }
        fixture_teardown(&inner);
    }
    free(bytes);
}

static void what_is_written_without_waiting_arrives_too(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(4 * SEGMENT);
    struct pes_request *request = stream_request(fixture);
    size_t at = 0;

    while (at < 4 * SEGMENT) {
        size_t n = pes_stream_room(request);

        if (n == 0) {
            struct pollfd polled = {.fd = pes_fd(fixture->ctx), .events = POLLIN};

            assert_true(poll(&polled, 1, pes_wait_ms(fixture->ctx)) >= 0);
            assert_int_equal(pes_process(fixture->ctx), 0);
            continue;
        }
        n = n < 4 * SEGMENT - at ? n : 4 * SEGMENT - at;
        assert_int_equal(pes_stream_write(request, bytes + at, n), 0);
        at += n;
    }
    assert_int_equal(pes_stream_end(request), 0);
    assert_int_equal(pes_stream_room(request), 0);
    assert_int_equal(pes_stream_write(request, bytes, 1), -PES_E_INVALID_ARGUMENT);
    is_about(fixture_await(fixture, request), bytes, 4 * SEGMENT);
    assert_memory_equal(fixture->fake.stream, bytes, 4 * SEGMENT);
    pes_request_free(request);
    free(bytes);
}

static void what_is_no_stream_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);

    assert_int_equal(pes_request_stream(NULL), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_stream(request), -PES_E_INVALID_ARGUMENT); /* it has content */
    assert_int_equal(pes_stream_write(request, "x", 1), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_stream_end(request), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_stream_room(request), 0);
    assert_int_equal(pes_stream_write(NULL, "x", 1), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_stream_room(NULL), 0);
    pes_request_free(request);
    request = stream_request(fixture);
    assert_int_equal(pes_request_bytes(request, "x", 1), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_stream(request), -PES_E_INVALID_ARGUMENT);
    pes_request_free(request);
}

/* Answers at the second segment, before the client has sent all. */
static bool answer_early(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_SEGMENT && ++fake->count == 2) {
        struct wire_answer answer = {
            .id = fake->stream_ask,
            .coverage = PES_COVERAGE_TOO_LARGE,
            .disposition = PES_DISPOSITION_WARN,
            .would = PES_DISPOSITION_WARN,
            .decided_by = PES_DECIDED_BY_FAIL_POLICY,
            .action = PES_ASK,
            .mode = PES_MODE_ENFORCE,
            .message_id = PES_MESSAGE_ID_TOO_LARGE,
        };

        fake_send(connection, WIRE_TYPE_ANSWER, &answer);
        return true;
    }
    return false;
}

static void an_early_answer_stops_the_writing(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(SEGMENT);
    struct pes_request *request = stream_request(fixture);
    struct pes_answer *answer;
    size_t n_written = 0;

    fixture->fake.handler = answer_early;
    while (pes_stream_write(request, bytes, SEGMENT) == 0 && n_written < 1000) {
        n_written++;
    }
    assert_in_range(n_written, 1, 20);
    assert_int_equal(pes_stream_room(request), 0);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).coverage, PES_COVERAGE_TOO_LARGE);
    assert_int_equal(pes_answer_action(answer), PES_ASK);
    /* What was sent is not what the answer is about. */
    assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

/* Ends the first connection at its second segment. */
static bool break_once(struct fake_broker *fake, struct fake_connection *connection,
                       const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_SEGMENT && ++fake->count == 2) {
        fake_close(connection);
        return true;
    }
    return false;
}

static void a_stream_is_sent_again_to_the_next_broker(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(4 * SEGMENT + 9);
    struct pes_request *request = stream_request(fixture);

    fixture->fake.handler = break_once;
    write_all(request, bytes, 4 * SEGMENT + 9, 100000);
    is_about(pes_ask(request), bytes, 4 * SEGMENT + 9);
    assert_int_equal(fixture->fake.n_connections, 2);
    assert_int_equal(fixture->fake.n_stream, 4 * SEGMENT + 9);
    assert_memory_equal(fixture->fake.stream, bytes, 4 * SEGMENT + 9);
    free(bytes);
}

static bool break_always(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_SEGMENT) {
        fake_close(connection);
        return true;
    }
    return false;
}

static void a_stream_that_is_lost_twice_is_answered_by_the_policy(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(SEGMENT);
    struct pes_request *request = stream_request(fixture);
    struct pes_answer *answer;
    int r = 0;

    fixture->fake.handler = break_always;
    for (size_t i = 0; i < 100 && r == 0; i++) {
        r = pes_stream_write(request, bytes, SEGMENT);
    }
    assert_int_equal(r, 1);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_BROKER_LOST);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

/* Has no room at first. */
static bool refuse_at_first(struct fake_broker *fake, struct fake_connection *connection,
                            const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_RESERVE && ++fake->count <= 2) {
        struct wire_refusal refusal = {.type = WIRE_TYPE_RESERVE,
                                       .id = frame->reserve.content_id,
                                       .error = PES_E_QUOTA,
                                       .retry_after_ms = 100};

        fake_send(connection, WIRE_TYPE_REFUSAL, &refusal);
        return true;
    }
    return false;
}

static void a_quota_that_is_full_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(2 * SEGMENT);
    struct pes_request *request = stream_request(fixture);

    fixture->fake.handler = refuse_at_first;
    write_all(request, bytes, 2 * SEGMENT, SEGMENT);
    is_about(pes_ask(request), bytes, 2 * SEGMENT);
    free(bytes);
}

static bool refuse_always(struct fake_broker *fake, struct fake_connection *connection,
                          const struct wire_frame *frame)
{
    fake->count = 0;
    return refuse_at_first(fake, connection, frame);
}

static void a_quota_that_stays_full_is_told(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(2 * SEGMENT);
    struct pes_request *request = stream_request(fixture);
    struct pes_answer *answer;

    fixture->fake.handler = refuse_always;
    pes_request_timeout_ms(request, 300);
    assert_int_equal(pes_stream_write(request, bytes, 2 * SEGMENT), 1);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_QUOTA);
    pes_answer_close(answer, PES_DID_REFUSE);
    fake_broker_await(&fixture->fake, WIRE_TYPE_CANCEL, 1);
    free(bytes);
}

/* Never lends. */
static bool ignore_reserve(struct fake_broker *fake, struct fake_connection *connection,
                           const struct wire_frame *frame)
{
    return frame->type == WIRE_TYPE_RESERVE;
}

static void a_segment_that_is_not_taken_in_time_ends_it(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(2 * SEGMENT);
    struct pes_request *request = stream_request(fixture);
    uint64_t from_us = clock_now_us();
    struct pes_answer *answer;

    fixture->fake.handler = ignore_reserve;
    pes_request_timeout_ms(request, 200);
    assert_int_equal(pes_stream_write(request, bytes, 2 * SEGMENT), 1);
    assert_in_range(clock_now_us() - from_us, 200000, 3000000);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_DEADLINE_PASSED);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

static void no_time_counts_while_the_application_has_nothing_to_write(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(2 * SEGMENT + 5);
    struct pes_request *request = stream_request(fixture);

    pes_request_timeout_ms(request, 50);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pes_stream_write(request, bytes + i * SEGMENT, i < 2 ? SEGMENT : 5), 0);
        while (i < 2 && pes_stream_room(request) == 0) {
            pes_process(fixture->ctx);
        }
        poll(NULL, 0, 400); /* longer than the timeout and its grace */
        assert_int_equal(pes_process(fixture->ctx), 0);
    }
    is_about(pes_ask(request), bytes, 2 * SEGMENT + 5);
    free(bytes);
}

static bool answer_cancelled(struct fake_broker *fake, struct fake_connection *connection,
                             const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_CANCEL) {
        struct wire_answer answer = {.id = frame->cancel.id,
                                     .error = PES_E_CANCELLED,
                                     .coverage = PES_COVERAGE_NOT_EXAMINED,
                                     .disposition = PES_DISPOSITION_WARN,
                                     .action = PES_ASK};

        fake_send(connection, WIRE_TYPE_ANSWER, &answer);
    }
    return false;
}

static void a_stream_can_be_taken_back_at_any_point(void **state)
{
    static const size_t lengths[] = {5, SEGMENT, 2 * SEGMENT + 5};
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(3 * SEGMENT);

    fixture->fake.handler = answer_cancelled;
    for (size_t i = 0; i < 3; i++) {
        struct pes_request *request = stream_request(fixture);
        struct pes_answer *answer;

        assert_int_equal(pes_stream_write(request, bytes, lengths[i]), 0);
        pes_cancel(request);
        answer = fixture_await(fixture, request);
        assert_int_equal(fixture_info(answer).error, -PES_E_CANCELLED);
        assert_int_equal(pes_stream_write(request, bytes, 1), 1);
        assert_int_equal(pes_stream_end(request), 0);
        assert_int_equal(pes_answer_take_content(answer), -PES_E_INVALID_ARGUMENT);
        pes_answer_close(answer, PES_DID_USER_CANCELLED);
        pes_request_free(request);
    }
    free(bytes);
}

static void a_request_that_is_dropped_in_the_middle_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(3 * SEGMENT);
    struct pes_request *request = stream_request(fixture);

    assert_int_equal(pes_stream_write(request, bytes, 2 * SEGMENT + 5), 0);
    pes_request_free(request);
    fake_broker_await(&fixture->fake, WIRE_TYPE_CANCEL, 1);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    free(bytes);
}

static void without_a_broker_the_policy_answers_at_once(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(10);
    struct pes_request *request = stream_request(fixture);
    struct pes_answer *answer;

    assert_int_equal(pes_stream_write(request, bytes, 10), 1);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_NO_BROKER);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

static void a_broker_without_streams_gets_what_is_short_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(2 * SEGMENT);
    struct pes_request *request;
    struct pes_answer *answer;

    fixture->fake.segment_bytes = 0;
    fake_broker_start(&fixture->fake);
    request = stream_request(fixture);
    write_all(request, bytes, 100000, 1000);
    is_about(pes_ask(request), bytes, 100000);
    request = stream_request(fixture);
    assert_int_equal(pes_stream_write(request, bytes, 2 * SEGMENT), 1);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_NOT_IMPLEMENTED);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

static void longer_segments_are_filled_as_well(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(7 * SEGMENT);
    struct pes_request *request;

    fixture->fake.segment_bytes = 3 * SEGMENT;
    fake_broker_start(&fixture->fake);
    request = stream_request(fixture);
    write_all(request, bytes, 7 * SEGMENT, 77777);
    is_about(pes_ask(request), bytes, 7 * SEGMENT);
    assert_int_equal(fixture->fake.n_stream, 7 * SEGMENT);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_SEGMENT), 3);
    free(bytes);
}

/* Takes whatever comes and never ends it. */
static bool take_without_end(struct fake_broker *fake, struct fake_connection *connection,
                             const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_SEGMENT) {
        for (size_t i = 0; i < fake->n_contents; i++) {
            close(fake->contents[i].fd);
        }
        fake->n_contents = 0;
        return true;
    }
    return false;
}

static void a_broker_that_takes_without_end_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *bytes = pattern(SEGMENT);
    struct pes_request *request = stream_request(fixture);
    struct pes_answer *answer;
    size_t n = 0;

    fixture->fake.handler = take_without_end;
    while (n < 200 && pes_stream_write(request, bytes, SEGMENT) == 0) {
        n++;
    }
    assert_in_range(n, 60, 70);
    answer = pes_ask(request);
    assert_int_equal(fixture_info(answer).error, -PES_E_TOO_LARGE);
    pes_answer_close(answer, PES_DID_REFUSE);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_of_any_length_arrives_and_comes_back),
        FIXTURE_TEST(what_is_written_without_waiting_arrives_too),
        FIXTURE_TEST(what_is_no_stream_is_told_so),
        FIXTURE_TEST(an_early_answer_stops_the_writing),
        FIXTURE_TEST(a_stream_is_sent_again_to_the_next_broker),
        FIXTURE_TEST(a_stream_that_is_lost_twice_is_answered_by_the_policy),
        FIXTURE_TEST(a_quota_that_is_full_is_waited_for),
        FIXTURE_TEST(a_quota_that_stays_full_is_told),
        FIXTURE_TEST(a_segment_that_is_not_taken_in_time_ends_it),
        FIXTURE_TEST(no_time_counts_while_the_application_has_nothing_to_write),
        FIXTURE_TEST(a_stream_can_be_taken_back_at_any_point),
        FIXTURE_TEST(a_request_that_is_dropped_in_the_middle_leaves_nothing),
        FIXTURE_TEST_DOWN(without_a_broker_the_policy_answers_at_once),
        FIXTURE_TEST_DOWN(a_broker_without_streams_gets_what_is_short_and_no_more),
        FIXTURE_TEST_DOWN(longer_segments_are_filled_as_well),
        FIXTURE_TEST(a_broker_that_takes_without_end_is_given_up),
    };

    return cmocka_run_group_tests_name("client/stream", tests, NULL, NULL);
}

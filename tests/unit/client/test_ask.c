/* Asking: one answer for every question, in time, in whatever way it is waited for. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/answer.h"
#include "client_fixture.h"
#include "sys/clock.h"

static void a_question_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer = pes_ask(fixture_request(fixture));
    struct pes_answer_info info = fixture_info(answer);

    assert_int_equal(info.error, 0);
    assert_int_equal(info.verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(pes_answer_action(answer), PES_GO);
    assert_int_equal(info.content_bytes, 5);
    assert_int_equal(info.broker_us, 100); /* what the fake says, not what it took */
    assert_true(info.wall_us > 0);
    assert_string_equal(pes_answer_message(answer), "Nothing was found. Reference 7Q4K-2M.");
    pes_answer_close(answer, PES_DID_RUN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
    assert_int_equal(fixture->fake.last_did, PES_DID_RUN);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 1);
}

static void time_is_sent_as_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);

    pes_request_timeout_ms(request, 800);
    pes_request_latency(request, PES_LATENCY_INTERACTIVE);
    pes_request_fail_wish(request, PES_FAIL_WISH_DENY);
    pes_request_flags(request, PES_SCAN_WANT_DETAILS);
    fixture_ask(request);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 1);
    assert_true(fixture->fake.last_ask.time_left_us <= 800000);
    assert_true(fixture->fake.last_ask.time_left_us + fixture->fake.last_ask.waited_us <= 800000);
    assert_true(fixture->fake.last_ask.time_left_us > 100000);
    assert_int_equal(fixture->fake.last_ask.latency, PES_LATENCY_INTERACTIVE);
    assert_int_equal(fixture->fake.last_ask.fail_wish, PES_FAIL_WISH_DENY);
    assert_int_equal(fixture->fake.last_ask.flags, PES_SCAN_WANT_DETAILS);
}

static void one_connection_serves_many_questions(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    }
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 1);
}

static void not_installed_is_silent_and_lets_go(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer;
    char nowhere[96];
    int policy = open(fixture->fake.policy, O_WRONLY | O_CLOEXEC);

    assert_int_equal(write(policy, "not-installed = allow\n", 22), 22);
    close(policy);
    snprintf(nowhere, sizeof(nowhere), "%s/nowhere", fixture->fake.folder);
    setenv("PES_RUNTIME_DIR", nowhere, 1);
    pes_close(fixture->ctx); /* it has seen the file as it was */
    fixture->ctx = pes_open("unit test", NULL, PES_CAN_STOP | PES_CAN_ASK);
    answer = pes_ask(fixture_request(fixture));
    assert_int_equal(pes_answer_action(answer), PES_GO);
    assert_int_equal(fixture_info(answer).message_id, PES_MESSAGE_ID_NOT_INSTALLED);
    assert_int_equal(fixture_info(answer).disposition, PES_DISPOSITION_ALLOW);
    assert_int_equal(fixture_info(answer).verdict, PES_VERDICT_NONE);
    assert_int_equal(fixture_info(answer).coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(fixture_info(answer).decided_by, PES_DECIDED_BY_FAIL_POLICY);
    pes_answer_close(answer, PES_DID_RUN);
}

static void a_policy_file_that_vanishes_does_not_uninstall(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(unlink(fixture->fake.policy), 0);
    assert_int_equal(fixture_ask(fixture_request(fixture)).message_id, PES_MESSAGE_ID_BROKER_DOWN);
}

static void installed_but_down_warns_about_what_runs(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer = pes_ask(fixture_request(fixture));

    assert_int_equal(pes_answer_action(answer), PES_ASK);
    assert_int_equal(fixture_info(answer).error, -PES_E_NO_BROKER);
    assert_int_equal(fixture_info(answer).decided_by, PES_DECIDED_BY_FAIL_POLICY);
    assert_string_equal(pes_answer_message(answer),
                        "It could not be checked: the pes service does not answer. Start the "
                        "service pesd, and try again.");
    pes_answer_close(answer, PES_DID_REFUSE);

    answer = pes_ask(pes_request_new(fixture->ctx, PES_KIND_DOCUMENT_PDF));
    assert_int_equal(pes_answer_action(answer), PES_GO);
    assert_int_equal(fixture_info(answer).disposition, PES_DISPOSITION_ALLOW_AND_REPORT);
    pes_answer_close(answer, PES_DID_RUN);
}

static void started_requests_are_answered_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *requests[300];

    for (size_t i = 0; i < 300; i++) {
        requests[i] = fixture_request(fixture);
        assert_int_equal(pes_start(requests[i]), 0);
    }
    for (size_t i = 300; i-- > 0;) {
        struct pes_answer *answer = fixture_await(fixture, requests[i]);

        assert_int_equal(fixture_info(answer).error, 0);
        assert_null(pes_take_answer(requests[i])); /* there is one only */
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
    assert_int_equal(pes_wait_ms(fixture->ctx), -1);
    assert_int_equal(pes_process(fixture->ctx), 0);
}

/* Answers nobody until the fourth question; then all. */
static bool hold_three(struct fake_broker *fake, struct fake_connection *connection,
                       const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    if (++fake->count > 3) {
        abort(); /* more than it allows at once */
    }
    if (fake->count == 3) {
        for (uint64_t i = 0; i < 3; i++) {
            fake_answer(connection, frame->ask.id - i);
        }
        fake->count = 0;
    }
    return true;
}

static void no_more_are_sent_than_the_broker_allows(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *requests[30];

    fixture->fake.max_in_flight = 3;
    fixture->fake.handler = hold_three;
    fake_broker_start(&fixture->fake);
    for (size_t i = 0; i < 30; i++) {
        requests[i] = fixture_request(fixture);
        assert_int_equal(pes_start(requests[i]), 0);
    }
    for (size_t i = 0; i < 30; i++) {
        struct pes_answer *answer = fixture_await(fixture, requests[i]);

        assert_int_equal(fixture_info(answer).error, 0);
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
}

static void the_descriptor_stays_the_same(void **state)
{
    struct fixture *fixture = *state;
    int fd = pes_fd(fixture->ctx);

    assert_true(fd >= 0);
    fixture_ask(fixture_request(fixture));
    assert_int_equal(pes_fd(fixture->ctx), fd);
    fake_broker_stop(&fixture->fake);
    fixture_ask(fixture_request(fixture));
    assert_int_equal(pes_fd(fixture->ctx), fd);
}

static bool answer_nothing(struct fake_broker *fake, struct fake_connection *connection,
                           const struct wire_frame *frame)
{
    return frame->type == WIRE_TYPE_ASK;
}

static void start_mute(struct fixture *fixture)
{
    fixture->fake.handler = answer_nothing;
    fake_broker_start(&fixture->fake);
}

static void no_answer_in_time_is_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    uint64_t start_us = clock_now_us(), took_us;
    struct pes_answer_info info;

    start_mute(fixture);
    pes_request_timeout_ms(request, 50);
    info = fixture_ask(request);
    took_us = clock_now_us() - start_us;
    assert_int_equal(info.error, -PES_E_DEADLINE_PASSED);
    assert_int_equal(info.message_id, PES_MESSAGE_ID_COULD_NOT_CHECK);
    assert_int_equal(info.action, PES_ASK);
    assert_true(took_us >= 300000); /* 50 ms, and a quarter of a second for the broker */
    assert_true(took_us < 2000000);
    fake_broker_await(&fixture->fake, WIRE_TYPE_CANCEL, 1); /* nobody waits any more */
}

/* It accepts, and that is all. */
static bool say_nothing(struct fake_broker *fake, struct fake_connection *connection,
                        const struct wire_frame *frame)
{
    return true;
}

static void a_broker_that_never_welcomes_costs_no_more_than_the_time(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    uint64_t start_us = clock_now_us();

    fixture->fake.handler = say_nothing;
    fake_broker_start(&fixture->fake);
    pes_request_timeout_ms(request, 50);
    assert_int_equal(fixture_ask(request).error, -PES_E_DEADLINE_PASSED);
    assert_true(clock_now_us() - start_us < 2000000);
}

static void waiting_takes_as_long_as_the_next_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *slow = fixture_request(fixture), *fast = fixture_request(fixture);

    start_mute(fixture);
    assert_int_equal(pes_wait_ms(fixture->ctx), -1);
    pes_request_timeout_ms(slow, 60000);
    pes_request_timeout_ms(fast, 3000);
    pes_start(slow);
    assert_true(pes_wait_ms(fixture->ctx) > 50000);
    pes_start(fast);
    assert_true(pes_wait_ms(fixture->ctx) > 1000);
    assert_true(pes_wait_ms(fixture->ctx) <= 3000);
    pes_request_free(slow);
    pes_request_free(fast);
}

static void an_answer_at_once_wakes_the_loop(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    struct pes_answer *answer;

    pes_start(request); /* there is no broker */
    assert_int_equal(pes_wait_ms(fixture->ctx), 0);
    assert_int_equal(pes_process(fixture->ctx), 1);
    assert_int_equal(pes_wait_ms(fixture->ctx), -1); /* told once, it does not spin */
    answer = pes_take_answer(request);
    assert_non_null(answer);
    pes_answer_close(answer, PES_DID_REFUSE);
    pes_request_free(request);
}

static bool answer_the_cancelled(struct fake_broker *fake, struct fake_connection *connection,
                                 const struct wire_frame *frame)
{
    static struct wire_answer answer;

    if (frame->type == WIRE_TYPE_CANCEL) {
        answer = (struct wire_answer){
            .id = frame->cancel.id,
            .error = PES_E_CANCELLED,
            .coverage = PES_COVERAGE_NOT_EXAMINED,
            .disposition = PES_DISPOSITION_WARN,
            .action = PES_ASK,
            .message_id = PES_MESSAGE_ID_CALL_FAILED,
        };
        fake_send(connection, WIRE_TYPE_ANSWER, &answer);
    }
    return frame->type == WIRE_TYPE_ASK;
}

static void what_is_cancelled_is_answered_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    struct pes_answer *answer;

    fixture->fake.handler = answer_the_cancelled;
    fake_broker_start(&fixture->fake);
    pes_start(request);
    fixture_n_fds();
    while (fake_broker_seen(&fixture->fake, WIRE_TYPE_ASK) == 0) {
        struct pollfd polled = {.fd = pes_fd(fixture->ctx), .events = POLLIN};

        poll(&polled, 1, 10);
        pes_process(fixture->ctx);
    }
    pes_cancel(request);
    answer = fixture_await(fixture, request);
    assert_int_equal(fixture_info(answer).error, -PES_E_CANCELLED);
    pes_answer_close(answer, PES_DID_USER_CANCELLED);
    pes_request_free(request);
}

static void what_was_not_sent_yet_is_cancelled_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    struct pes_answer *answer;

    fixture->fake.handler = say_nothing;
    fake_broker_start(&fixture->fake);
    pes_start(request);
    pes_cancel(request);
    answer = pes_take_answer(request);
    assert_non_null(answer);
    assert_int_equal(fixture_info(answer).error, -PES_E_CANCELLED);
    pes_answer_close(answer, PES_DID_USER_CANCELLED);
    pes_request_free(request);
}

static void freeing_a_request_takes_it_back(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);

    start_mute(fixture);
    pes_request_timeout_ms(request, 5000);
    pes_start(request);
    while (fake_broker_seen(&fixture->fake, WIRE_TYPE_ASK) == 0) {
        pes_process(fixture->ctx);
    }
    pes_request_free(request); /* and nothing else is called */
    fake_broker_await(&fixture->fake, WIRE_TYPE_CANCEL, 1);
}

static void an_answer_outlives_its_context(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer = pes_ask(fixture_request(fixture));
    int fd;

    pes_close(fixture->ctx);
    fixture->ctx = NULL;
    assert_string_equal(pes_answer_message(answer), "Nothing was found. Reference 7Q4K-2M.");
    fd = pes_answer_take_content(answer);
    assert_true(fd >= 0);
    close(fd);
    pes_answer_close(answer, PES_DID_RUN);
}

static void a_started_request_can_be_asked(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);

    pes_start(request);
    assert_int_equal(fixture_ask(request).error, 0);
    /* One whose answer was taken has no second one. */
    request = fixture_request(fixture);
    pes_start(request);
    pes_answer_close(fixture_await(fixture, request), PES_DID_RUN);
    assert_int_equal(fixture_ask(request).error, -PES_E_INVALID_ARGUMENT);
}

static bool overload(struct fake_broker *fake, struct fake_connection *connection,
                     const struct wire_frame *frame)
{
    static struct wire_answer answer;

    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    answer = (struct wire_answer){.id = frame->ask.id, .error = PES_E_QUOTA, .retry_after_ms = 70};
    fake_send(connection, WIRE_TYPE_ANSWER, &answer);
    return true;
}

static void a_quota_says_when_to_try_again(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer_info info;

    fixture->fake.handler = overload;
    fake_broker_start(&fixture->fake);
    info = fixture_ask(fixture_request(fixture));
    assert_int_equal(info.error, -PES_E_QUOTA);
    assert_int_equal(info.retry_after_ms, 70);
    assert_int_equal(info.action, PES_ASK); /* the broker decided nothing: the policy does */
}

static void nothing_is_left_behind(void **state)
{
    struct fixture *fixture = *state;
    size_t n_fds = fixture_n_fds();

    for (int i = 0; i < 10; i++) {
        struct pes_ctx *ctx = pes_open("x", "y", 0);
        struct pes_request *request = pes_request_new(ctx, PES_KIND_GENERIC);
        static uint8_t bytes[100000];

        assert_int_equal(pes_request_bytes(request, bytes, sizeof(bytes)), 0);
        pes_answer_close(pes_ask(request), PES_DID_RUN);
        pes_close(ctx);
    }
    fake_broker_stop(&fixture->fake);
    assert_true(fixture_n_fds() <= n_fds);
}

static void what_cannot_be_done_is_never_asked_for(void **state)
{
    static const uint32_t can[] = {0, PES_CAN_ASK, PES_CAN_STOP, PES_CAN_ASK | PES_CAN_STOP};
    static const enum pes_action expected[] = {PES_GO, PES_ASK, PES_GO, PES_ASK};

    for (size_t i = 0; i < 4; i++) { /* down: a warning, for a kind that runs */
        struct pes_ctx *ctx = pes_open("x", "y", can[i] | 1u << 20);
        struct pes_request *request = pes_request_new(ctx, PES_KIND_SCRIPT_SHELL);
        struct pes_answer *answer = pes_ask(request);

        assert_int_equal(pes_answer_action(answer), expected[i]);
        pes_answer_close(answer, PES_DID_RUN);
        pes_close(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_question_is_answered),
        FIXTURE_TEST(time_is_sent_as_what_is_left),
        FIXTURE_TEST(one_connection_serves_many_questions),
        FIXTURE_TEST_DOWN(not_installed_is_silent_and_lets_go),
        FIXTURE_TEST_DOWN(a_policy_file_that_vanishes_does_not_uninstall),
        FIXTURE_TEST_DOWN(installed_but_down_warns_about_what_runs),
        FIXTURE_TEST(started_requests_are_answered_in_any_order),
        FIXTURE_TEST_DOWN(no_more_are_sent_than_the_broker_allows),
        FIXTURE_TEST(the_descriptor_stays_the_same),
        FIXTURE_TEST_DOWN(no_answer_in_time_is_an_answer),
        FIXTURE_TEST_DOWN(a_broker_that_never_welcomes_costs_no_more_than_the_time),
        FIXTURE_TEST_DOWN(waiting_takes_as_long_as_the_next_deadline),
        FIXTURE_TEST_DOWN(an_answer_at_once_wakes_the_loop),
        FIXTURE_TEST_DOWN(what_is_cancelled_is_answered_all_the_same),
        FIXTURE_TEST_DOWN(what_was_not_sent_yet_is_cancelled_at_once),
        FIXTURE_TEST_DOWN(freeing_a_request_takes_it_back),
        FIXTURE_TEST(an_answer_outlives_its_context),
        FIXTURE_TEST(a_started_request_can_be_asked),
        FIXTURE_TEST_DOWN(a_quota_says_when_to_try_again),
        FIXTURE_TEST(nothing_is_left_behind),
        FIXTURE_TEST_DOWN(what_cannot_be_done_is_never_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

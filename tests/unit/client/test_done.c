/* What was done about an answer: said with the next question where nobody waits for it, and at once
 * where somebody may. */
#include "client_fixture.h"

#define N_PATIENT 16 /* answer.h: so many may be left unsaid */

static int setup(void **state)
{
    fixture_setup_down(state);
    ((struct fixture *)*state)->fake.done_in_ask = true;
    fake_broker_start(&((struct fixture *)*state)->fake);
    return 0;
}

static size_t dones(struct fixture *fixture)
{
    return fake_broker_seen(&fixture->fake, WIRE_TYPE_DONE);
}

/* The nth question, as the broker got it. */
static const struct wire_ask *asked(struct fixture *fixture, size_t n)
{
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, n);
    return &fixture->fake.last_ask;
}

static void it_travels_with_the_next_question(void **state)
{
    struct fixture *fixture = *state;

    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    assert_int_equal(asked(fixture, 1)->done_id, 0);
    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_REFUSE);
    assert_int_equal(asked(fixture, 2)->done_id, 1);
    assert_int_equal(asked(fixture, 2)->did, PES_DID_RUN);
    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    assert_int_equal(asked(fixture, 3)->done_id, 2);
    assert_int_equal(asked(fixture, 3)->did, PES_DID_REFUSE);
    assert_int_equal(dones(fixture), 0);
}

/* The questions went out before; their acknowledgements go with those that follow, one each. */
static void each_question_takes_one_along(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answers[3];

    for (size_t i = 0; i < 3; i++) {
        answers[i] = pes_ask(fixture_request(fixture));
    }
    for (size_t i = 0; i < 3; i++) {
        pes_answer_close(answers[i], PES_DID_RUN);
    }
    for (uint64_t i = 1; i <= 3; i++) {
        pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
        assert_int_equal(asked(fixture, 3 + i)->done_id, i);
    }
    assert_int_equal(dones(fixture), 0);
}

static void an_override_is_said_at_once(void **state)
{
    struct fixture *fixture = *state;

    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_USER_OVERRODE);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
    assert_int_equal(fixture->fake.last_did, PES_DID_USER_OVERRODE);
}

static bool find_something(struct fake_broker *fake, struct fake_connection *connection,
                           const struct wire_frame *frame)
{
    struct wire_answer answer = {
        .id = frame->ask.id,
        .verdict = PES_VERDICT_MALICIOUS,
        .coverage = PES_COVERAGE_FULL,
        .disposition = PES_DISPOSITION_ALLOW_AND_REPORT,
        .would = PES_DISPOSITION_BLOCK,
        .decided_by = PES_DECIDED_BY_VERDICT,
        .action = PES_GO,
        .mode = PES_MODE_OBSERVE,
    };

    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    fake_send(connection, WIRE_TYPE_ANSWER, &answer);
    return true;
}

static void what_was_done_about_a_finding_is_said_at_once(void **state)
{
    struct fixture *fixture = *state;

    fixture->fake.handler = find_something;
    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
}

static void without_another_question_processing_says_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(pes_wait_ms(fixture->ctx), -1);
    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    pes_process(fixture->ctx);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
    assert_int_equal(pes_wait_ms(fixture->ctx), -1);
}

/* Whoever has a loop of its own must not sleep over it. */
static void a_loop_is_told_to_come_back_for_it(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer = pes_ask(fixture_request(fixture));

    pes_process(fixture->ctx); /* takes note that there is an answer */
    pes_answer_close(answer, PES_DID_RUN);
    assert_in_range(pes_wait_ms(fixture->ctx), 0, 200);
    assert_int_equal(dones(fixture), 0);
}

static void closing_the_context_says_it(void **state)
{
    struct fixture *fixture = *state;

    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    pes_close(fixture->ctx);
    fixture->ctx = NULL;
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
}

static void more_than_a_few_do_not_wait(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answers[N_PATIENT + 1];

    for (size_t i = 0; i < N_PATIENT + 1; i++) {
        answers[i] = pes_ask(fixture_request(fixture));
    }
    for (size_t i = 0; i < N_PATIENT; i++) {
        pes_answer_close(answers[i], PES_DID_RUN);
    }
    assert_int_equal(dones(fixture), 0);
    pes_answer_close(answers[N_PATIENT], PES_DID_RUN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, N_PATIENT + 1);
}

/* One that skips what it does not know would never hear of it. */
static void an_older_broker_gets_a_message_of_its_own(void **state)
{
    struct fixture *fixture = *state;

    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
    pes_answer_close(pes_ask(fixture_request(fixture)), PES_DID_RUN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 2);
    assert_int_equal(asked(fixture, 2)->done_id, 0);
}

#define DONE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DONE_TEST(it_travels_with_the_next_question),
        DONE_TEST(each_question_takes_one_along),
        DONE_TEST(an_override_is_said_at_once),
        DONE_TEST(what_was_done_about_a_finding_is_said_at_once),
        DONE_TEST(without_another_question_processing_says_it),
        DONE_TEST(a_loop_is_told_to_come_back_for_it),
        DONE_TEST(closing_the_context_says_it),
        DONE_TEST(more_than_a_few_do_not_wait),
        FIXTURE_TEST(an_older_broker_gets_a_message_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Describing what is asked: which fields, how many, how long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_policy.h"
#include "client/request.h"
#include "client_fixture.h"

static void every_function_takes_nothing_at_all(void **state)
{
    struct pes_answer *answer;

    assert_null(pes_request_new(NULL, PES_KIND_GENERIC));
    pes_request_free(NULL);
    assert_int_equal(pes_request_bytes(NULL, "", 0), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_file(NULL, 0), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_text(NULL, PES_SUBJECT_PATH, "x"), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_number(NULL, PES_ORIGIN_ZONE, 1), -PES_E_INVALID_ARGUMENT);
    pes_request_timeout_ms(NULL, 1);
    pes_request_flags(NULL, 1);
    pes_request_latency(NULL, 1);
    pes_request_fail_wish(NULL, 1);
    assert_int_equal(pes_start(NULL), -PES_E_INVALID_ARGUMENT);
    assert_null(pes_take_answer(NULL));
    pes_cancel(NULL);
    assert_int_equal(pes_fd(NULL), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_wait_ms(NULL), -1);
    assert_int_equal(pes_process(NULL), 0);
    pes_close(NULL);

    answer = pes_ask(NULL);
    assert_non_null(answer);
    pes_answer_close(answer, PES_DID_REFUSE);
}

/* Nobody knows what such an application can do, so it is told to stop, where pes is installed. */
static void nothing_asked_is_stopped_where_pes_is_installed(void **state)
{
    struct pes_answer *answer = pes_ask(NULL);
    struct client_policy policy;

    assert_int_equal(pes_answer_action(answer), PES_STOP);
    assert_int_equal(fixture_info(answer).error, -PES_E_NO_MEMORY);
    pes_answer_close(answer, PES_DID_REFUSE);

    unsetenv("PES_CLIENT_POLICY"); /* one that is named must be there */
    client_policy_load_default(&policy);
    if (policy.is_installed) {
        skip_because("pes is installed here");
    }
    answer = pes_ask(NULL);
    assert_int_equal(pes_answer_action(answer), PES_GO);
    assert_int_equal(fixture_info(answer).message_id, PES_MESSAGE_ID_NOT_INSTALLED);
    pes_answer_close(answer, PES_DID_RUN);
}

static void only_fields_of_a_client_and_of_the_right_type(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);

    assert_int_equal(pes_request_text(request, PES_ORIGIN_URL, "http://x"), 0);
    assert_int_equal(pes_request_number(request, PES_ORIGIN_ZONE, PES_ZONE_INTERNET), 0);
    assert_int_equal(pes_request_text(request, PES_ORIGIN_ZONE, "internet"),
                     -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_number(request, PES_ORIGIN_URL, 1), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_number(request, PES_VERIFIED_UID, 0), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_text(request, PES_VERIFIED_EXE_PATH, "x"),
                     -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_text(request, 302, "reserved"), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_text(request, 4711, "unknown"), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_text_n(request, PES_ORIGIN_URL, NULL, 1), -PES_E_INVALID_ARGUMENT);
    pes_request_free(request);
}

static void a_field_set_again_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    static struct wire_ask ask;

    assert_int_equal(pes_request_text(request, PES_SUBJECT_PATH, "first, and long"), 0);
    assert_int_equal(pes_request_text_n(request, PES_ORIGIN_URL, "a\0b", 3), 0);
    assert_int_equal(pes_request_number(request, PES_TRIGGER_REASON, PES_REASON_OPEN), 0);
    assert_int_equal(pes_request_text(request, PES_SUBJECT_PATH, "second"), 0);
    assert_int_equal(pes_request_number(request, PES_TRIGGER_REASON, PES_REASON_PASTE), 0);
    memset(&ask, 0, sizeof(ask));
    request_fill_items(request, &ask);
    assert_int_equal(ask.n_context, 3);
    assert_int_equal(ask.context[0].field, PES_ORIGIN_URL);
    assert_int_equal(ask.context[0].text.size, 3);
    assert_memory_equal(ask.context[0].text.data, "a\0b", 3);
    assert_memory_equal(ask.context[1].text.data, "second", 6);
    assert_int_equal(ask.context[2].value, PES_REASON_PASTE);

    assert_int_equal(pes_request_text(request, PES_SUBJECT_PATH, ""), 0); /* empty is absent */
    memset(&ask, 0, sizeof(ask));
    request_fill_items(request, &ask);
    assert_int_equal(ask.n_context, 2);
    pes_request_free(request);
}

static void texts_are_bounded_one_by_one_and_together(void **state)
{
    static const uint32_t fields[] = {
        PES_SUBJECT_PATH,    PES_SUBJECT_URL,  PES_SUBJECT_NAME,      PES_ORIGIN_URL,
        PES_ORIGIN_REFERRER, PES_SUBJECT_MIME, PES_CLAIMED_COMPONENT,
    };
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    static char text[4098];

    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(pes_request_text(request, PES_SUBJECT_PATH, text), -PES_E_TOO_LARGE);
    text[4096] = '\0';
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(pes_request_text(request, fields[i], text), 0);
    }
    assert_int_equal(pes_request_text(request, fields[6], "x"), -PES_E_TOO_LARGE);
    assert_int_equal(pes_request_text(request, fields[0], "shorter"), 0);
    assert_int_equal(pes_request_text(request, fields[6], "x"), 0);
    /* All of it, with the most content, fits a message. */
    assert_int_equal(fixture_ask(request).error, 0);
}

static void nothing_can_be_changed_once_started(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);

    assert_int_equal(pes_start(request), 0);
    assert_int_equal(pes_start(request), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_text(request, PES_SUBJECT_PATH, "x"), -PES_E_INVALID_ARGUMENT);
    assert_int_equal(pes_request_bytes(request, "x", 1), -PES_E_INVALID_ARGUMENT);
    pes_request_free(request);
}

static void unknown_flags_and_no_kind_are_refused_here(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    struct pes_answer_info info;

    pes_request_flags(request, PES_SCAN_PRIVATE | 1u << 30);
    info = fixture_ask(request);
    assert_int_equal(info.error, -PES_E_INVALID_ARGUMENT);
    assert_int_equal(info.action, PES_ASK); /* as nobody looked */

    info = fixture_ask(pes_request_new(fixture->ctx, PES_KIND_NONE));
    assert_int_equal(info.error, -PES_E_INVALID_ARGUMENT);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_ASK), 0);
}

static void a_request_may_outlive_its_context(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    struct pes_answer *answer;

    pes_start(request);
    pes_close(fixture->ctx);
    fixture->ctx = NULL;
    assert_int_equal(pes_request_text(request, PES_SUBJECT_PATH, "x"), -PES_E_INVALID_ARGUMENT);
    assert_null(pes_take_answer(request));
    pes_cancel(request);
    answer = pes_ask(request);
    assert_int_equal(pes_answer_action(answer), PES_STOP);
    pes_answer_close(answer, PES_DID_REFUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_takes_nothing_at_all),
        FIXTURE_TEST_DOWN(nothing_asked_is_stopped_where_pes_is_installed),
        FIXTURE_TEST(only_fields_of_a_client_and_of_the_right_type),
        FIXTURE_TEST(a_field_set_again_is_replaced),
        FIXTURE_TEST(texts_are_bounded_one_by_one_and_together),
        FIXTURE_TEST(nothing_can_be_changed_once_started),
        FIXTURE_TEST(unknown_flags_and_no_kind_are_refused_here),
        FIXTURE_TEST(a_request_may_outlive_its_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

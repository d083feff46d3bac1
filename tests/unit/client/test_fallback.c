/* What holds without an answer, and what becomes of it in terms of what an application can do. */
#include <string.h>

#include <pes/enums.h>

#include "client/fallback.h"
#include "client/fold.h"
#include "testing.h"

static struct client_policy policy_of(const char *text)
{
    struct client_policy policy;

    client_policy_parse(&policy, "client.conf", text, strlen(text));
    return policy;
}

static void not_installed_lets_go_in_silence(void **state)
{
    struct client_policy policy = {0};
    struct fallback fallback = fallback_decide(&policy, PES_KIND_COMMAND_PASTED, PES_FAIL_WISH_DENY,
                                               PES_E_NO_BROKER, PLACE_NO_SOCKET);

    assert_int_equal(fallback.disposition, PES_DISPOSITION_ALLOW);
    assert_int_equal(fallback.message_id, PES_MESSAGE_ID_NOT_INSTALLED);
    assert_int_equal(fallback.advice, PES_ADVICE_NONE);
}

/* A policy that is given to a whole fleet says what holds where pes is not set up. */
static void a_policy_file_can_tell_not_installed_apart(void **state)
{
    struct client_policy policy = policy_of("not-installed = deny\ndown = warn\n");
    static const struct {
        enum place_absence absence;
        uint32_t disposition, message_id;
    } cases[] = {
        {PLACE_NO_FOLDER, PES_DISPOSITION_BLOCK, PES_MESSAGE_ID_NOT_INSTALLED},
        {PLACE_NO_SOCKET, PES_DISPOSITION_WARN, PES_MESSAGE_ID_BROKER_DOWN},
        {PLACE_IS_THERE, PES_DISPOSITION_WARN, PES_MESSAGE_ID_BROKER_DOWN},
    };

    for (size_t i = 0; i < 3; i++) {
        struct fallback fallback = fallback_decide(&policy, PES_KIND_GENERIC, PES_FAIL_WISH_NONE,
                                                   PES_E_NO_BROKER, cases[i].absence);

        assert_int_equal(fallback.disposition, cases[i].disposition);
        assert_int_equal(fallback.message_id, cases[i].message_id);
    }
    /* Ending the service is no way to get its milder answer. */
    policy = policy_of("not-installed = allow\ndown = deny\n");
    assert_int_equal(fallback_decide(&policy, PES_KIND_GENERIC, PES_FAIL_WISH_NONE, PES_E_NO_BROKER,
                                     PLACE_NO_SOCKET)
                         .disposition,
                     PES_DISPOSITION_BLOCK);
}

static void a_policy_file_without_a_socket_means_down(void **state)
{
    struct client_policy policy = policy_of("");
    struct fallback fallback = fallback_decide(&policy, PES_KIND_COMMAND_PASTED, PES_FAIL_WISH_NONE,
                                               PES_E_NO_BROKER, PLACE_NO_SOCKET);

    assert_int_equal(fallback.disposition, PES_DISPOSITION_WARN);
    assert_int_equal(fallback.message_id, PES_MESSAGE_ID_BROKER_DOWN);
    assert_int_equal(fallback.advice, PES_ADVICE_START_SERVICE);
}

static void a_socket_without_a_policy_file_means_down(void **state)
{
    struct client_policy policy = {0};
    struct fallback fallback = fallback_decide(&policy, PES_KIND_DOCUMENT_PDF, PES_FAIL_WISH_NONE,
                                               PES_E_NO_BROKER, PLACE_IS_THERE);

    assert_int_equal(fallback.disposition, PES_DISPOSITION_ALLOW_AND_REPORT);
    assert_int_equal(fallback.message_id, PES_MESSAGE_ID_BROKER_DOWN);
}

static void a_wish_makes_it_stricter_never_milder(void **state)
{
    struct client_policy policy = policy_of("down = warn\n");

    assert_int_equal(
        fallback_decide(&policy, PES_KIND_URL, PES_FAIL_WISH_DENY, PES_E_QUOTA, PLACE_IS_THERE)
            .disposition,
        PES_DISPOSITION_BLOCK);
    assert_int_equal(
        fallback_decide(&policy, PES_KIND_URL, PES_FAIL_WISH_ALLOW, PES_E_QUOTA, PLACE_IS_THERE)
            .disposition,
        PES_DISPOSITION_WARN);
    assert_int_equal(
        fallback_decide(&policy, PES_KIND_URL, 77, PES_E_QUOTA, PLACE_IS_THERE).disposition,
        PES_DISPOSITION_BLOCK);
}

static void every_error_has_a_message_and_none_is_milder_than_the_policy(void **state)
{
    struct client_policy policy = policy_of("down = deny\n");

    for (uint32_t error = 0; error < 40; error++) {
        struct fallback fallback =
            fallback_decide(&policy, PES_KIND_URL, PES_FAIL_WISH_NONE, error, PLACE_IS_THERE);

        assert_int_equal(fallback.disposition, PES_DISPOSITION_BLOCK);
        assert_int_not_equal(fallback.message_id, PES_MESSAGE_ID_NONE);
        assert_int_not_equal(fallback.message_id, PES_MESSAGE_ID_NOTHING_FOUND);
    }
}

/* SPEC 6, row by row: can ask and stop, only ask, only stop, neither. */
static void the_table_of_actions(void **state)
{
    static const uint32_t can[] = {PES_CAN_ASK | PES_CAN_STOP, PES_CAN_ASK, PES_CAN_STOP, 0};
    static const struct {
        uint32_t disposition;
        uint32_t actions[4];
    } rows[] = {
        {PES_DISPOSITION_ALLOW, {PES_GO, PES_GO, PES_GO, PES_GO}},
        {PES_DISPOSITION_ALLOW_AND_REPORT, {PES_GO, PES_GO, PES_GO, PES_GO}},
        {PES_DISPOSITION_WARN, {PES_ASK, PES_ASK, PES_GO, PES_GO}},
        {PES_DISPOSITION_WARN_WITH_REASON, {PES_ASK, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_ASK_USER, {PES_ASK, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_BLOCK, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_BLOCK_AND_QUARANTINE, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_REPLACE_WITH_CLEANED, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_RESTRICT, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_PENDING, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_TERMINATE_SESSION, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {PES_DISPOSITION_NONE, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
        {4711, {PES_STOP, PES_ASK, PES_STOP, PES_GO}},
    };

    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(fold(rows[row].disposition, can[i]), rows[row].actions[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_installed_lets_go_in_silence),
        cmocka_unit_test(a_policy_file_can_tell_not_installed_apart),
        cmocka_unit_test(a_policy_file_without_a_socket_means_down),
        cmocka_unit_test(a_socket_without_a_policy_file_means_down),
        cmocka_unit_test(a_wish_makes_it_stricter_never_milder),
        cmocka_unit_test(every_error_has_a_message_and_none_is_milder_than_the_policy),
        cmocka_unit_test(the_table_of_actions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

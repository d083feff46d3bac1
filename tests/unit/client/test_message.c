/* What the person reads: who says so or who is to blame, what next, and a reference. */
#include <signal.h>
#include <string.h>

#include <pes/pes.h>

#include "client/answer.h"
#include "testing.h"
#include "wire/codec.h"

static struct wire_answer wire;

/* An answer of the broker, of two providers that found nothing. */
static struct wire_answer *begin(uint32_t message_id)
{
    wire = (struct wire_answer){
        .id = 1,
        .verdict = PES_VERDICT_NOT_DETECTED,
        .coverage = PES_COVERAGE_FULL,
        .disposition = PES_DISPOSITION_ALLOW,
        .would = PES_DISPOSITION_ALLOW,
        .action = PES_GO,
        .mode = PES_MODE_ENFORCE,
        .message_id = message_id,
        .ref = wire_text("7Q4K-2M"),
        .n_parts = 2,
    };
    for (size_t i = 0; i < 2; i++) {
        wire.parts[i] = (struct wire_part){
            .name = wire_text(i == 0 ? "eicar" : "yara"),
            .status = PES_STATUS_OK,
            .verdict = PES_VERDICT_NOT_DETECTED,
            .coverage = PES_COVERAGE_FULL,
        };
    }
    return &wire;
}

static void find(size_t part, uint32_t verdict, const char *detection)
{
    wire.verdict = verdict;
    wire.parts[part].verdict = verdict;
    wire.parts[part].n_findings = 1;
    wire.parts[part].findings[0] = (struct wire_finding){
        .verdict = verdict,
        .detection = wire_text(detection),
    };
    wire.deciding_part = (uint32_t)part + 1;
    wire.disposition = wire.would = PES_DISPOSITION_BLOCK;
    wire.action = PES_STOP;
}

static void reads(const char *expected)
{
    struct answer_about about = {
        .kind = PES_KIND_SCRIPT_LUA,
        .can = PES_CAN_ASK | PES_CAN_STOP,
        .policy_error = "",
    };
    struct pes_answer *answer;

    assert_int_equal(answer_new(&answer, &wire, &about), 0);
    assert_string_equal(answer->message, expected);
    answer_free(answer);
}

static void nothing_found_names_who_looked(void **state)
{
    begin(PES_MESSAGE_ID_NOTHING_FOUND);
    reads("Nothing was found by eicar, yara. Reference 7Q4K-2M.");
}

static void found_names_who_says_so_and_what_next(void **state)
{
    begin(PES_MESSAGE_ID_FOUND)->advice = PES_ADVICE_DO_NOT_RUN;
    find(1, PES_VERDICT_MALICIOUS, "Pes.Command.Download");
    reads("yara says that it is malicious (\"Pes.Command.Download\"); 1 other found nothing. Do "
          "not run it; delete it. Reference 7Q4K-2M.");
}

static void a_quota_is_named(void **state)
{
    begin(PES_MESSAGE_ID_CALL_FAILED)->n_parts = 0;
    wire.error = PES_E_QUOTA;
    wire.quota = wire_text("bytes of content");
    wire.advice = PES_ADVICE_TRY_AGAIN;
    reads("It could not be checked: too many bytes of content. Try again. Reference 7Q4K-2M.");
    wire.quota = wire_text("\x1b[2J");
    reads("It could not be checked: too many \\x1b[2J. Try again. Reference 7Q4K-2M.");
    wire.quota = wire_text("");
    reads("It could not be checked: this user holds too much of the pes service already. Try "
          "again. Reference 7Q4K-2M.");
}

static void agreement_is_counted(void **state)
{
    begin(PES_MESSAGE_ID_FOUND);
    find(0, PES_VERDICT_MALICIOUS, "A");
    find(1, PES_VERDICT_CREDENTIAL_THEFT, "B");
    reads("yara says that it is malicious (\"B\"): it is after passwords or keys; 1 other objects, "
          "too. Reference 7Q4K-2M.");
}

static void certainty_has_fixed_words(void **state)
{
    begin(PES_MESSAGE_ID_SUSPICIOUS);
    find(1, PES_VERDICT_SUSPICIOUS, "");
    reads("yara says that it is suspicious; 1 other found nothing. Reference 7Q4K-2M.");
    begin(PES_MESSAGE_ID_POLICY);
    find(1, PES_VERDICT_POLICY_FORBIDDEN, "");
    reads("yara says that it is not allowed here; 1 other found nothing. Reference 7Q4K-2M.");
    begin(PES_MESSAGE_ID_POLICY)->n_parts = 0;
    reads("It is not allowed here: this is a rule of the administrator. Reference 7Q4K-2M.");
    begin(PES_MESSAGE_ID_TEST_SAMPLE)->advice = PES_ADVICE_TEST_ONLY;
    find(0, PES_VERDICT_TEST_SAMPLE, "EICAR");
    reads("eicar says that it is a harmless test sample (\"EICAR\"); 1 other found nothing. There "
          "is nothing to do: it is harmless. Reference 7Q4K-2M.");
}

static void the_culprit_is_named_with_its_signal(void **state)
{
    begin(PES_MESSAGE_ID_COULD_NOT_CHECK)->advice = PES_ADVICE_SEE_PROVIDERS;
    wire.coverage = PES_COVERAGE_NOT_EXAMINED;
    wire.parts[0].status = PES_STATUS_CRASHED;
    wire.parts[0].signal = SIGSEGV;
    wire.parts[1].status = PES_STATUS_TIMEOUT;
    reads("It could not be checked; eicar could not look: its worker died by SIGSEGV; yara did not "
          "answer in time. `pes providers` shows what is wrong. Reference 7Q4K-2M.");
    begin(PES_MESSAGE_ID_PARTLY_CHECKED);
    wire.parts[0].status = PES_STATUS_CRASHED;
    wire.parts[0].exit_status = 256 + 3;
    wire.parts[1].status = PES_STATUS_RESOURCE_LIMIT;
    wire.parts[1].limit = PES_LIMIT_MEMORY;
    reads("Nothing was found, but not everything could be checked; eicar could not look: its "
          "worker ended by itself with status 3; yara could not look: its worker reached its limit "
          "of memory. Reference 7Q4K-2M.");
}

static void a_part_that_looked_at_some_of_it_says_so(void **state)
{
    begin(PES_MESSAGE_ID_PARTLY_CHECKED);
    wire.parts[1].coverage = PES_COVERAGE_ENCRYPTED;
    reads("Nothing was found, but not everything could be checked; yara could not open it: it is "
          "encrypted. Reference 7Q4K-2M.");
}

static void many_culprits_are_summed_up(void **state)
{
    begin(PES_MESSAGE_ID_COULD_NOT_CHECK);
    wire.n_parts = 5;
    for (size_t i = 0; i < 5; i++) {
        wire.parts[i] = (struct wire_part){.name = wire_text("p"), .status = PES_STATUS_NOT_READY};
    }
    reads("It could not be checked; p could not look: it is still loading; p could not look: it "
          "is still loading; p could not look: it is still loading; so did 2 others. Reference "
          "7Q4K-2M.");
}

static void what_is_let_pass_says_why(void **state)
{
    begin(PES_MESSAGE_ID_FOUND)->advice = PES_ADVICE_DO_NOT_RUN;
    find(1, PES_VERDICT_MALICIOUS, "X");
    wire.mode = PES_MODE_OBSERVE;
    wire.disposition = PES_DISPOSITION_ALLOW_AND_REPORT;
    wire.action = PES_GO;
    reads("yara says that it is malicious (\"X\"); 1 other found nothing. It is let pass, as pes "
          "runs in mode observe. Reference 7Q4K-2M.");
}

static void no_provider_names_the_kind(void **state)
{
    begin(PES_MESSAGE_ID_NO_PROVIDER)->n_parts = 0;
    reads("It could not be checked: no provider takes script.lua. Reference 7Q4K-2M.");
}

static void text_of_a_provider_cannot_leave_its_quotes_by_control_characters(void **state)
{
    begin(PES_MESSAGE_ID_FOUND);
    find(0, PES_VERDICT_MALICIOUS,
         "a\x1b[2J\nb\xe2\x80\xae"
         "c");
    wire.n_parts = 1;
    struct answer_about about = {.can = PES_CAN_STOP, .policy_error = ""};
    struct pes_answer *answer;

    assert_int_equal(answer_new(&answer, &wire, &about), 0);
    for (const char *c = answer->message; *c; c++) {
        assert_true((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f);
    }
    answer_free(answer);
}

static void a_long_name_is_cut_and_the_reference_stays(void **state)
{
    static char text[129], name[65];
    struct answer_about about = {.can = PES_CAN_STOP, .policy_error = ""};
    struct pes_answer *answer;
    size_t n;

    memset(text, 1, 128); /* four times as long when escaped */
    memset(name, 2, 64);
    begin(PES_MESSAGE_ID_FOUND);
    wire.n_parts = 16;
    for (size_t i = 0; i < 16; i++) {
        wire.parts[i] = (struct wire_part){
            .name = wire_text(name),
            .status = PES_STATUS_TIMEOUT,
        };
    }
    find(0, PES_VERDICT_MALICIOUS, text);
    assert_int_equal(answer_new(&answer, &wire, &about), 0);
    n = strlen(answer->message);
    assert_true(n < ANSWER_MESSAGE_BYTES);
    assert_non_null(strstr(answer->message, "...\""));
    assert_string_equal(answer->message + n - strlen(" Reference 7Q4K-2M."), " Reference 7Q4K-2M.");
    answer_free(answer);
}

static void every_number_gives_a_sentence(void **state)
{
    for (uint32_t message = 0; message < 310; message++) {
        for (uint32_t status = 0; status < 25; status++) {
            struct answer_about about = {.can = PES_CAN_STOP, .policy_error = ""};
            struct pes_answer *answer;

            begin(message);
            wire.parts[0].status = status;
            wire.parts[1].coverage = status;
            wire.verdict = status;
            wire.advice = status;
            assert_int_equal(answer_new(&answer, &wire, &about), 0);
            assert_string_not_equal(answer->message, "");
            assert_true(strlen(answer->message) > 20);
            answer_free(answer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_found_names_who_looked),
        cmocka_unit_test(found_names_who_says_so_and_what_next),
        cmocka_unit_test(a_quota_is_named),
        cmocka_unit_test(agreement_is_counted),
        cmocka_unit_test(certainty_has_fixed_words),
        cmocka_unit_test(the_culprit_is_named_with_its_signal),
        cmocka_unit_test(a_part_that_looked_at_some_of_it_says_so),
        cmocka_unit_test(many_culprits_are_summed_up),
        cmocka_unit_test(what_is_let_pass_says_why),
        cmocka_unit_test(no_provider_names_the_kind),
        cmocka_unit_test(text_of_a_provider_cannot_leave_its_quotes_by_control_characters),
        cmocka_unit_test(a_long_name_is_cut_and_the_reference_stays),
        cmocka_unit_test(every_number_gives_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Numbers, names and errors in words. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <pes/pes.h>

#include "client/error.h"
#include "testing.h"

static void kinds_are_found_by_number_and_by_name(void **state)
{
    assert_string_equal(pes_kind_name(PES_KIND_COMMAND_PASTED), "command.pasted");
    assert_int_equal(pes_kind_number("command.pasted"), PES_KIND_COMMAND_PASTED);
    assert_int_equal(pes_kind_number("no.such"), PES_KIND_NONE);
    assert_int_equal(pes_kind_number(NULL), PES_KIND_NONE);
    assert_string_equal(pes_kind_name(60000), "unknown");
    assert_string_equal(pes_kind_doc(60000), "unknown");
}

static void walking_the_kinds_ends_and_skips_none(void **state)
{
    size_t n = 0;

    while (pes_kind_at(n) != PES_KIND_NONE) {
        assert_int_equal(pes_kind_number(pes_kind_name(pes_kind_at(n))), pes_kind_at(n));
        assert_string_not_equal(pes_kind_doc(pes_kind_at(n)), "");
        n++;
    }
    assert_true(n > 40);
    assert_int_equal(pes_kind_at(SIZE_MAX), PES_KIND_NONE);
}

static void every_axis_has_names_and_an_unknown(void **state)
{
    const char *(*axes[])(uint32_t) = {
        pes_verdict_name, pes_coverage_name, pes_disposition_name,    pes_decided_by_name,
        pes_action_name,  pes_status_name,   pes_provider_state_name, pes_severity_name,
        pes_limit_name,   pes_mode_name,
    };

    for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++) {
        assert_string_not_equal(axes[i](1), "unknown");
        assert_string_equal(axes[i](4711), "unknown");
    }
    assert_string_equal(pes_verdict_name(PES_VERDICT_MALICIOUS), "malicious");
    assert_string_equal(pes_action_name(0), "unknown"); /* zero does not exist */
}

static void reasons_are_walked_and_found(void **state)
{
    size_t n = 0;

    while (pes_reason_at(n)) {
        assert_int_not_equal(pes_reason_number(pes_reason_at(n)), PES_REASON_NONE);
        n++;
    }
    assert_int_equal(pes_reason_number("paste"), PES_REASON_PASTE);
    assert_int_equal(pes_reason_number("nonsense"), PES_REASON_NONE);
    assert_int_equal(pes_reason_number(NULL), PES_REASON_NONE);
    assert_true(n >= 14);
}

static void every_error_reads_differently(void **state)
{
    for (int a = 0; a <= PES_E_PROTOCOL; a++) {
        assert_string_equal(pes_error_text(-a), pes_error_text(a));
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(pes_error_text(-a), pes_error_text(-b));
        }
    }
    assert_non_null(strstr(pes_error_text(-4711), "does not know"));
    assert_non_null(strstr(pes_error_text(INT32_MIN), "does not know"));
}

static void errno_crosses_over_once(void **state)
{
    assert_int_equal(pes_error_from_errno(0), 0);
    assert_int_equal(pes_error_from_errno(-ENOMEM), -PES_E_NO_MEMORY);
    assert_int_equal(pes_error_from_errno(-EMFILE), -PES_E_NO_MEMORY);
    assert_int_equal(pes_error_from_errno(-ENOENT), -PES_E_NO_BROKER);
    assert_int_equal(pes_error_from_errno(-ECONNREFUSED), -PES_E_NO_BROKER);
    assert_int_equal(pes_error_from_errno(-EPIPE), -PES_E_BROKER_LOST);
    assert_int_equal(pes_error_from_errno(-EACCES), -PES_E_PERMISSION);
    assert_int_equal(pes_error_from_errno(-EAFNOSUPPORT), -PES_E_PERMISSION);
    assert_int_equal(pes_error_from_errno(-EXDEV), -PES_E_INTERNAL);
}

static void signals_have_names(void **state)
{
    assert_string_equal(pes_signal_name(SIGSEGV), "SIGSEGV");
    assert_non_null(pes_signal_name(0));
    assert_non_null(pes_signal_name(UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_found_by_number_and_by_name),
        cmocka_unit_test(walking_the_kinds_ends_and_skips_none),
        cmocka_unit_test(every_axis_has_names_and_an_unknown),
        cmocka_unit_test(reasons_are_walked_and_found),
        cmocka_unit_test(every_error_reads_differently),
        cmocka_unit_test(errno_crosses_over_once),
        cmocka_unit_test(signals_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

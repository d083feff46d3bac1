/* Names to numbers and back. */
#include <string.h>

#include <pes/enums.h>

#include "testing.h"
#include "wire/name_table.h"
#include "wire/names.h"

static void a_name_and_its_number_find_each_other(void **state)
{
    uint32_t number = 0;

    assert_string_equal(name_of(&wire_verdict_names, PES_VERDICT_MALICIOUS), "malicious");
    assert_true(name_number(&wire_verdict_names, "malicious", &number));
    assert_int_equal(number, PES_VERDICT_MALICIOUS);
}

static void what_is_not_listed_has_no_name(void **state)
{
    uint32_t number = 77;

    assert_null(name_of(&wire_verdict_names, 4000000000u));
    assert_null(name_of(&wire_action_names, 0));
    assert_false(name_number(&wire_verdict_names, "Malicious", &number));
    assert_false(name_number(&wire_verdict_names, "", &number));
    assert_int_equal(number, 77);
}

static void reserved_names_do_not_exist_yet(void **state)
{
    uint32_t number;

    assert_false(name_number(&wire_can_names, "restrict", &number));
    assert_false(name_number(&wire_provider_state_names, "paused", &number));
    assert_null(field_by_number(800));
}

static void kinds_are_found_by_number_and_name(void **state)
{
    const struct kind_info *kind = kind_by_name("command.pasted");

    assert_non_null(kind);
    assert_int_equal(kind->number, PES_KIND_COMMAND_PASTED);
    assert_ptr_equal(kind_by_number(kind->number), kind);
    assert_true(kind->is_execution);
    assert_false(kind_by_name("document.pdf")->is_execution);
    assert_null(kind_by_name("none"));
    assert_null(kind_by_number(0));
    assert_null(kind_by_number(4000000000u));
}

static void a_pattern_covers_its_kind_or_its_prefix(void **state)
{
    assert_true(kind_pattern_matches("script.shell", "script.shell"));
    assert_false(kind_pattern_matches("script.shell", "script.sql"));
    assert_false(kind_pattern_matches("script.sh", "script.shell"));
    assert_true(kind_pattern_matches("script.*", "script.shell"));
    assert_true(kind_pattern_matches("http.*", "http.request.head"));
    assert_true(kind_pattern_matches("http.request.*", "http.request.head"));
    assert_false(kind_pattern_matches("http.request.*", "http.response.body"));
    assert_false(kind_pattern_matches("script*", "script.shell"));
    assert_false(kind_pattern_matches("script.*", "scripts"));
    assert_false(kind_pattern_matches("url.*", "url"));
    assert_true(kind_pattern_matches("*", "generic"));
    assert_false(kind_pattern_matches("", "generic"));
}

static void context_fields_say_their_type(void **state)
{
    assert_int_equal(field_by_number(PES_SUBJECT_PATH)->type, FIELD_TEXT);
    assert_int_equal(field_by_number(PES_ORIGIN_ZONE)->type, FIELD_NUMBER);
    assert_string_equal(field_by_number(PES_VERIFIED_UID)->name, "verified.uid");
    assert_null(field_by_number(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_and_its_number_find_each_other),
        cmocka_unit_test(what_is_not_listed_has_no_name),
        cmocka_unit_test(reserved_names_do_not_exist_yet),
        cmocka_unit_test(kinds_are_found_by_number_and_name),
        cmocka_unit_test(a_pattern_covers_its_kind_or_its_prefix),
        cmocka_unit_test(context_fields_say_their_type),
    };

    return cmocka_run_group_tests_name("name_table", tests, NULL, NULL);
}

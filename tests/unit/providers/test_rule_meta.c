/* What metadata of rules comes to. */
#include <pes/enums.h>

#include "providers/yara/rule_meta.h"
#include "testing.h"

static struct rule_meta meta;

static int set_up(void **state)
{
    rule_meta_init(&meta);
    return 0;
}

static void a_rule_that_says_nothing_is_a_malware_rule(void **state)
{
    rule_meta_text(&meta, "author", "somebody");
    rule_meta_number(&meta, "year", 2024);
    assert_int_equal(meta.verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(meta.severity, PES_SEVERITY_HIGH);
    assert_int_equal(meta.confidence, 0);
    assert_int_equal(meta.n_unknown, 0);
}

static void our_own_keys_are_taken(void **state)
{
    rule_meta_text(&meta, "verdict", "deceptive_instruction");
    rule_meta_text(&meta, "severity", "critical");
    rule_meta_number(&meta, "confidence", 75);
    rule_meta_text(&meta, "family", "ClickFix");
    rule_meta_text(&meta, "technique", "T1204.004");
    rule_meta_text(&meta, "advice", "fix_login");
    rule_meta_text(&meta, "decode", "base64");
    rule_meta_text(&meta, "pes_sample", "text");
    assert_int_equal(meta.verdict, PES_VERDICT_DECEPTIVE_INSTRUCTION);
    assert_int_equal(meta.severity, PES_SEVERITY_CRITICAL);
    assert_int_equal(meta.confidence, 75);
    assert_string_equal(meta.family, "ClickFix");
    assert_string_equal(meta.technique, "T1204.004");
    assert_int_equal(meta.advice, PES_ADVICE_FIX_LOGIN);
    assert_int_equal(meta.decode, DECODE_BASE64);
    assert_string_equal(meta.sample, "text");
}

static void the_order_of_entries_does_not_matter(void **state)
{
    rule_meta_text(&meta, "verdict", "suspicious");
    rule_meta_text(&meta, "malware_type", "RANSOMWARE");
    rule_meta_text(&meta, "category", "INFO");
    rule_meta_number(&meta, "score", 10);
    assert_int_equal(meta.verdict, PES_VERDICT_SUSPICIOUS);
    assert_int_equal(meta.severity, PES_SEVERITY_CRITICAL);

    rule_meta_init(&meta);
    rule_meta_number(&meta, "score", 10);
    rule_meta_text(&meta, "category", "INFO");
    rule_meta_text(&meta, "malware_type", "RANSOMWARE");
    rule_meta_text(&meta, "verdict", "suspicious");
    assert_int_equal(meta.verdict, PES_VERDICT_SUSPICIOUS);
    assert_int_equal(meta.severity, PES_SEVERITY_CRITICAL);
}

static void categories_are_understood(void **state)
{
    static const struct {
        const char *category;
        uint32_t verdict;
    } rows[] = {
        {"INFO", PES_VERDICT_UNCOMMON},        {"TOOL", PES_VERDICT_POTENTIALLY_UNWANTED},
        {"TECHNIQUE", PES_VERDICT_SUSPICIOUS}, {"EXPLOIT", PES_VERDICT_EXPLOIT_ATTEMPT},
        {"MALWARE", PES_VERDICT_MALICIOUS},    {"SOMETHING", PES_VERDICT_MALICIOUS},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rule_meta_init(&meta);
        rule_meta_text(&meta, "category", rows[i].category);
        assert_int_equal(meta.verdict, rows[i].verdict);
    }
}

static void unwanted_software_is_not_called_malware(void **state)
{
    rule_meta_text(&meta, "category", "MALWARE");
    rule_meta_text(&meta, "malware_type", "ADWARE");
    assert_int_equal(meta.verdict, PES_VERDICT_POTENTIALLY_UNWANTED);
}

static void low_scores_are_less_than_malicious(void **state)
{
    rule_meta_number(&meta, "score", 80);
    assert_int_equal(meta.verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(meta.confidence, 80);
    rule_meta_number(&meta, "score", 60);
    assert_int_equal(meta.verdict, PES_VERDICT_SUSPICIOUS);
    rule_meta_number(&meta, "score", -3);
    assert_int_equal(meta.verdict, PES_VERDICT_UNCOMMON);
    assert_int_equal(meta.confidence, 0);
    rule_meta_number(&meta, "score", 1000000000000);
    assert_int_equal(meta.confidence, 100);
}

static void severity_is_a_name_a_level_or_hundredths(void **state)
{
    static const struct {
        int64_t value;
        uint32_t severity;
    } rows[] = {
        {-1, PES_SEVERITY_NONE},     {1, PES_SEVERITY_LOW},
        {4, PES_SEVERITY_CRITICAL},  {5, PES_SEVERITY_LOW},
        {40, PES_SEVERITY_MEDIUM},   {70, PES_SEVERITY_HIGH},
        {90, PES_SEVERITY_CRITICAL}, {INT64_MAX, PES_SEVERITY_CRITICAL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rule_meta_init(&meta);
        rule_meta_number(&meta, "severity", rows[i].value);
        assert_int_equal(meta.severity, rows[i].severity);
    }
    rule_meta_init(&meta);
    rule_meta_text(&meta, "severity", "80");
    assert_int_equal(meta.severity, PES_SEVERITY_HIGH);
}

static void only_identifiers_of_attack_are_taken_as_technique(void **state)
{
    rule_meta_text(&meta, "mitre_att", "see the report");
    rule_meta_text(&meta, "mitre_att", "T10");
    rule_meta_text(&meta, "mitre_att", "T1059.1");
    rule_meta_text(&meta, "mitre_att", "t1059");
    assert_string_equal(meta.technique, "");
    rule_meta_text(&meta, "mitre_att", "T1059, T1105");
    rule_meta_text(&meta, "mitre_att", "S0534");
    assert_string_equal(meta.technique, "T1059");
}

static void values_of_our_keys_that_mean_nothing_are_counted(void **state)
{
    rule_meta_text(&meta, "verdict", "evil");
    rule_meta_text(&meta, "severity", "very");
    rule_meta_text(&meta, "confidence", "sure");
    rule_meta_text(&meta, "advice", "panic");
    rule_meta_text(&meta, "decode", "rot13");
    assert_int_equal(meta.n_unknown, 5);
    assert_int_equal(meta.verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(meta.severity, PES_SEVERITY_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_rule_that_says_nothing_is_a_malware_rule, set_up),
        cmocka_unit_test_setup(our_own_keys_are_taken, set_up),
        cmocka_unit_test_setup(the_order_of_entries_does_not_matter, set_up),
        cmocka_unit_test_setup(categories_are_understood, set_up),
        cmocka_unit_test_setup(unwanted_software_is_not_called_malware, set_up),
        cmocka_unit_test_setup(low_scores_are_less_than_malicious, set_up),
        cmocka_unit_test_setup(severity_is_a_name_a_level_or_hundredths, set_up),
        cmocka_unit_test_setup(only_identifiers_of_attack_are_taken_as_technique, set_up),
        cmocka_unit_test_setup(values_of_our_keys_that_mean_nothing_are_counted, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

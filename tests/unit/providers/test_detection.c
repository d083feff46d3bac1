/* What names of signatures come to, by names as they are in real databases. */
#include <pes/provider.h>

#include "providers/clamav/detection.h"
#include "providers/clamav/layer_watch.h"
#include "testing.h"

static const struct {
    const char *name;
    uint32_t verdict;
    uint32_t gap;
    const char *family;
} cases[] = {
    {"Win.Trojan.Emotet-7456129-0", PES_VERDICT_MALICIOUS, 0, "Emotet"},
    {"Unix.Ransomware.Lockbit-9917221-0", PES_VERDICT_MALICIOUS, 0, "Lockbit"},
    {"Win.Malware.Agent-6598770-0", PES_VERDICT_MALICIOUS, 0, ""},
    {"Html.Exploit.CVE_2014_0322-1", PES_VERDICT_EXPLOIT_ATTEMPT, 0, "CVE_2014_0322"},
    {"Html.Phishing.Bank-1172", PES_VERDICT_CREDENTIAL_THEFT, 0, "Bank"},
    {"PUA.Win.Packer.Upx-57", PES_VERDICT_POTENTIALLY_UNWANTED, 0, ""},
    {"Win.Tool.Mimikatz-9778407-1", PES_VERDICT_POTENTIALLY_UNWANTED, 0, "Mimikatz"},
    {"Eicar-Signature", PES_VERDICT_TEST_SAMPLE, 0, ""},
    {"Win.Test.EICAR_HDB-1", PES_VERDICT_TEST_SAMPLE, 0, ""},
    {"Clamav.Test.File-6", PES_VERDICT_TEST_SAMPLE, 0, ""},
    {"Pes.Selftest.UNOFFICIAL", PES_VERDICT_TEST_SAMPLE, 0, ""},
    {"Some-Own-Name.UNOFFICIAL", PES_VERDICT_MALICIOUS, 0, ""},
    {"Heuristics.Phishing.Email.SpoofedDomain", PES_VERDICT_SUSPICIOUS, 0, ""},
    {"Heuristics.OLE2.ContainsMacros.VBA", PES_VERDICT_UNCOMMON, 0, ""},
    {"Heuristics.Structured.CreditCardNumber", PES_VERDICT_SENSITIVE_DATA, 0, ""},
    {"Heuristics.Encrypted.Zip", PES_VERDICT_UNCOMMON, GAP_ENCRYPTED, ""},
    {"Heuristics.Broken.Executable", PES_VERDICT_UNCOMMON, GAP_MALFORMED, ""},
    {"Heuristics.Limits.Exceeded.MaxFileSize", PES_VERDICT_UNCOMMON, GAP_SIZE, ""},
    {"Heuristics.Limits.Exceeded.MaxScanSize", PES_VERDICT_UNCOMMON, GAP_SIZE, ""},
    {"Heuristics.Limits.Exceeded.MaxScanTime", PES_VERDICT_UNCOMMON, GAP_TIME, ""},
    {"Heuristics.Limits.Exceeded.MaxRecursion", PES_VERDICT_UNCOMMON, GAP_DEPTH, ""},
    {"Heuristics.Limits.Exceeded.MaxFiles", PES_VERDICT_UNCOMMON, GAP_DEPTH, ""},
    {"Heuristics.Limits.Exceeded.EmailHeaders", PES_VERDICT_UNCOMMON, GAP_DEPTH, ""},
    {"", PES_VERDICT_MALICIOUS, 0, ""},
    {"..-", PES_VERDICT_MALICIOUS, 0, ""},
};

static void names_come_to_verdicts_gaps_and_families(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct detection detection;

        detection_read(&detection, cases[i].name);
        if (detection.verdict != cases[i].verdict || detection.gap != cases[i].gap ||
            strcmp(detection.family, cases[i].family) != 0) {
            fail_msg("%s: verdict %u, gap %u, family '%s'", cases[i].name, detection.verdict,
                     detection.gap, detection.family);
        }
        assert_int_not_equal(detection.severity, PES_SEVERITY_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_to_verdicts_gaps_and_families),
    };

    return cmocka_run_group_tests_name("providers/detection", tests, NULL, NULL);
}

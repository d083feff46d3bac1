/*
 * detection: reads the names of ClamAV's signatures.
 *
 * Names are Platform.Category.Family-Id-Revision (docs.clamav.net, "Naming"); signatures of others
 * end with ".UNOFFICIAL" and follow whatever their authors like. What a name does not tell counts
 * as malicious, which is what a match is for every other program that uses libclamav.
 *
 * Alerts by which libclamav says that it met a limit, a password or broken data are no findings
 * about the content: they become gaps in what was examined.
 */
#include "providers/clamav/detection.h"

#include <string.h>
#include <strings.h>

#include <pes/provider.h>

#include "providers/clamav/layer_watch.h"

struct row {
    const char *prefix;
    uint32_t verdict;
    uint32_t severity;
    uint32_t gap;
};

/* By how a name begins; the first that fits. */
static const struct row prefixes[] = {
    {"Heuristics.Limits.Exceeded.MaxScanTime", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, GAP_TIME},
    {"Heuristics.Limits.Exceeded.MaxScanSize", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, GAP_SIZE},
    {"Heuristics.Limits.Exceeded.MaxFileSize", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, GAP_SIZE},
    {"Heuristics.Limits.Exceeded", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, GAP_DEPTH},
    {"Heuristics.Encrypted.", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, GAP_ENCRYPTED},
    {"Heuristics.Broken.", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, GAP_MALFORMED},
    {"Heuristics.OLE2.ContainsMacros", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW, 0},
    {"Heuristics.Structured.", PES_VERDICT_SENSITIVE_DATA, PES_SEVERITY_MEDIUM, 0},
    {"Heuristics.", PES_VERDICT_SUSPICIOUS, PES_SEVERITY_MEDIUM, 0},
    {"PUA.", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_MEDIUM, 0},
    {"Pes.Selftest", PES_VERDICT_TEST_SAMPLE, PES_SEVERITY_LOW, 0},
    {"Eicar", PES_VERDICT_TEST_SAMPLE, PES_SEVERITY_LOW, 0},
    {"Clamav.Test.", PES_VERDICT_TEST_SAMPLE, PES_SEVERITY_LOW, 0},
};

/* By the second part of a name. */
static const struct row categories[] = {
    {"Adware", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_LOW, 0},
    {"Coinminer", PES_VERDICT_MALICIOUS, PES_SEVERITY_MEDIUM, 0},
    {"Exploit", PES_VERDICT_EXPLOIT_ATTEMPT, PES_SEVERITY_HIGH, 0},
    {"Phishing", PES_VERDICT_CREDENTIAL_THEFT, PES_SEVERITY_HIGH, 0},
    {"Ransomware", PES_VERDICT_MALICIOUS, PES_SEVERITY_CRITICAL, 0},
    {"Tool", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_MEDIUM, 0},
    {"Test", PES_VERDICT_TEST_SAMPLE, PES_SEVERITY_LOW, 0},
};

static const struct row otherwise = {"", PES_VERDICT_MALICIOUS, PES_SEVERITY_HIGH, 0};

static const struct row *row_of(const char *name)
{
    const char *category = strchr(name, '.');
    size_t n_category = category ? strcspn(category + 1, ".") : 0;

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncasecmp(name, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0) {
            return &prefixes[i];
        }
    }
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (n_category == strlen(categories[i].prefix) &&
            strncmp(category + 1, categories[i].prefix, n_category) == 0) {
            return &categories[i];
        }
    }
    return &otherwise;
}

static uint32_t advice_for(uint32_t verdict)
{
    if (verdict == PES_VERDICT_TEST_SAMPLE) {
        return PES_ADVICE_TEST_ONLY;
    }
    return verdict == PES_VERDICT_MALICIOUS || verdict == PES_VERDICT_EXPLOIT_ATTEMPT
               ? PES_ADVICE_DO_NOT_RUN
               : PES_ADVICE_NONE;
}

/* The third part, when an id follows it: "Win.Trojan.Emotet-7456129-0". */
static void family_read(struct detection *detection, const char *name)
{
    const char *second = strchr(name, '.');
    const char *third = second ? strchr(second + 1, '.') : NULL;
    size_t n;

    if (!third) {
        return;
    }
    n = strcspn(third + 1, "-.");
    if (third[1 + n] != '-' || third[2 + n] < '0' || third[2 + n] > '9' ||
        n >= sizeof(detection->family) || strncmp(third + 1, "Agent", n) == 0) {
        return; /* "Agent" is what has no family */
    }
    memcpy(detection->family, third + 1, n);
}

void detection_read(struct detection *ret_detection, const char *name)
{
    const struct row *row = row_of(name);

    memset(ret_detection, 0, sizeof(*ret_detection));
    ret_detection->verdict = row->verdict;
    ret_detection->severity = row->severity;
    ret_detection->gap = row->gap;
    ret_detection->advice = advice_for(row->verdict);
    if (ret_detection->gap == 0 && ret_detection->verdict != PES_VERDICT_TEST_SAMPLE) {
        family_read(ret_detection, name);
    }
}

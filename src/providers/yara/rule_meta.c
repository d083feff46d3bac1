/*
 * rule_meta: from a rule's metadata to verdict, severity and the rest.
 *
 * There is no standard for YARA metadata, but there are habits: the CCCS fields (category,
 * malware_type, mitre_att), the score of Florian Roth's collection, ReversingLabs' tc_detection_*.
 * Those are understood beside our own keys (verdict, severity, confidence, technique, advice,
 * decode, pes_sample). What says more exactly what is meant wins, whatever the order of the
 * entries: verdict over a type, a type over a category, a category over a score.
 *
 * A rule that says nothing is taken at its word as a malware rule: malicious, high.
 * Values are never an error: other people's rules use the same keys for other things. Those of our
 * own keys that mean nothing are counted, and the administrator is told.
 */
#include "providers/yara/rule_meta.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <pes/provider.h>

enum weight {
    WEIGHT_DEFAULT = 0,
    WEIGHT_SCORE = 1,
    WEIGHT_CATEGORY = 2,
    WEIGHT_TYPE = 3,
    WEIGHT_OWN = 4,
};

struct named {
    const char *name;
    uint32_t number;
};

static const struct named verdict_names[] = {
    {"not_detected", PES_VERDICT_NOT_DETECTED},
    {"uncommon", PES_VERDICT_UNCOMMON},
    {"suspicious", PES_VERDICT_SUSPICIOUS},
    {"potentially_unwanted", PES_VERDICT_POTENTIALLY_UNWANTED},
    {"exploit_attempt", PES_VERDICT_EXPLOIT_ATTEMPT},
    {"malicious_source", PES_VERDICT_MALICIOUS_SOURCE},
    {"credential_theft", PES_VERDICT_CREDENTIAL_THEFT},
    {"deceptive_instruction", PES_VERDICT_DECEPTIVE_INSTRUCTION},
    {"sensitive_data", PES_VERDICT_SENSITIVE_DATA},
    {"policy_forbidden", PES_VERDICT_POLICY_FORBIDDEN},
    {"malicious", PES_VERDICT_MALICIOUS},
    {"test_sample", PES_VERDICT_TEST_SAMPLE},
    {NULL, 0},
};

static const struct named severity_names[] = {
    {"info", PES_SEVERITY_LOW},
    {"informational", PES_SEVERITY_LOW},
    {"low", PES_SEVERITY_LOW},
    {"medium", PES_SEVERITY_MEDIUM},
    {"moderate", PES_SEVERITY_MEDIUM},
    {"high", PES_SEVERITY_HIGH},
    {"critical", PES_SEVERITY_CRITICAL},
    {"severe", PES_SEVERITY_CRITICAL},
    {NULL, 0},
};

static const struct named confidence_names[] = {
    {"low", 30}, {"medium", 60}, {"moderate", 60}, {"high", 90}, {NULL, 0},
};

static const struct named advice_names[] = {
    {"do_not_run", PES_ADVICE_DO_NOT_RUN},     {"ask_sender", PES_ADVICE_ASK_SENDER},
    {"read_decoded", PES_ADVICE_READ_DECODED}, {"download_first", PES_ADVICE_DOWNLOAD_FIRST},
    {"test_only", PES_ADVICE_TEST_ONLY},       {"fix_login", PES_ADVICE_FIX_LOGIN},
    {"ask_admin", PES_ADVICE_ASK_ADMIN},       {NULL, 0},
};

static const struct named decode_names[] = {
    {"base64", DECODE_BASE64},
    {"hex", DECODE_HEX},
    {NULL, 0},
};

/* Categories of CCCS rules, and types of malware as several collections write them. */
struct class
{
    const char *name;
    uint32_t verdict;
    uint32_t severity;
};

static const struct class categories[] = {
    {"info", PES_VERDICT_UNCOMMON, PES_SEVERITY_LOW},
    {"tool", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_MEDIUM},
    {"technique", PES_VERDICT_SUSPICIOUS, PES_SEVERITY_MEDIUM},
    {"exploit", PES_VERDICT_EXPLOIT_ATTEMPT, PES_SEVERITY_HIGH},
    {"malware", PES_VERDICT_MALICIOUS, PES_SEVERITY_HIGH},
    {NULL, 0, 0},
};

static const struct class types[] = {
    {"ransomware", PES_VERDICT_MALICIOUS, PES_SEVERITY_CRITICAL},
    {"wiper", PES_VERDICT_MALICIOUS, PES_SEVERITY_CRITICAL},
    {"adware", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_LOW},
    {"pua", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_LOW},
    {"pup", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_LOW},
    {"hacktool", PES_VERDICT_POTENTIALLY_UNWANTED, PES_SEVERITY_MEDIUM},
    {NULL, 0, 0},
};

static bool name_find(const struct named *table, const char *name, uint32_t *ret_number)
{
    for (; table->name; table++) {
        if (strcasecmp(table->name, name) == 0) {
            *ret_number = table->number;
            return true;
        }
    }
    return false;
}

static void set_verdict(struct rule_meta *meta, enum weight weight, uint32_t verdict)
{
    if (weight >= meta->verdict_weight) {
        meta->verdict = verdict;
        meta->verdict_weight = weight;
    }
}

static void set_severity(struct rule_meta *meta, enum weight weight, uint32_t severity)
{
    if (weight >= meta->severity_weight) {
        meta->severity = severity;
        meta->severity_weight = weight;
    }
}

static void set_class(struct rule_meta *meta, enum weight weight, const struct class *table,
                      const char *name)
{
    for (; table->name; table++) {
        if (strcasecmp(table->name, name) == 0) {
            set_verdict(meta, weight, table->verdict);
            set_severity(meta, weight, table->severity);
            return;
        }
    }
}

static void key_verdict(struct rule_meta *meta, const char *value)
{
    uint32_t number;

    if (name_find(verdict_names, value, &number)) {
        set_verdict(meta, WEIGHT_OWN, number);
    } else {
        meta->n_unknown++;
    }
}

static void key_severity(struct rule_meta *meta, const char *value)
{
    uint32_t number;

    if (name_find(severity_names, value, &number)) {
        set_severity(meta, WEIGHT_OWN, number);
    } else {
        meta->n_unknown++;
    }
}

static void key_confidence(struct rule_meta *meta, const char *value)
{
    if (!name_find(confidence_names, value, &meta->confidence)) {
        meta->n_unknown++;
    }
}

static void key_advice(struct rule_meta *meta, const char *value)
{
    if (!name_find(advice_names, value, &meta->advice)) {
        meta->n_unknown++;
    }
}

static void key_decode(struct rule_meta *meta, const char *value)
{
    uint32_t number;

    if (name_find(decode_names, value, &number)) {
        meta->decode = (enum decode_form)number;
    } else {
        meta->n_unknown++;
    }
}

static void key_sample(struct rule_meta *meta, const char *value)
{
    meta->sample = value;
}

static void key_category(struct rule_meta *meta, const char *value)
{
    set_class(meta, WEIGHT_CATEGORY, categories, value);
}

static void key_type(struct rule_meta *meta, const char *value)
{
    set_class(meta, WEIGHT_TYPE, types, value);
}

static void key_family(struct rule_meta *meta, const char *value)
{
    if (meta->family[0] == '\0' && strcasecmp(value, "unknown") != 0) {
        snprintf(meta->family, sizeof(meta->family), "%s", value);
    }
}

/* An ATT&CK id: a letter, four digits, for a technique perhaps a point and three more. The first
 * of several is taken. */
static void key_technique(struct rule_meta *meta, const char *value)
{
    size_t n = strcspn(value, ", ;|");
    bool is_id = (n == 5 || (n == 9 && value[5] == '.')) && strchr("TSGM", value[0]) != NULL;

    for (size_t i = 1; is_id && i < n; i++) {
        is_id = i == 5 || isdigit((unsigned char)value[i]);
    }
    if (is_id && meta->technique[0] == '\0') {
        snprintf(meta->technique, sizeof(meta->technique), "%.*s", (int)n, value);
    }
}

struct key {
    const char *name;
    void (*take)(struct rule_meta *meta, const char *value);
};

static const struct key keys[] = {
    {"verdict", key_verdict},
    {"severity", key_severity},
    {"confidence", key_confidence},
    {"advice", key_advice},
    {"decode", key_decode},
    {"pes_sample", key_sample},
    {"category", key_category},
    {"malware_type", key_type},
    {"tc_detection_type", key_type},
    {"family", key_family},
    {"malware_family", key_family},
    {"mal_family", key_family},
    {"tc_detection_name", key_family},
    {"malware", key_family},
    {"technique", key_technique},
    {"mitre_att", key_technique},
    {"mitre_attack", key_technique},
};

void rule_meta_init(struct rule_meta *meta)
{
    *meta = (struct rule_meta){
        .verdict = PES_VERDICT_MALICIOUS,
        .severity = PES_SEVERITY_HIGH,
    };
}

void rule_meta_text(struct rule_meta *meta, const char *key, const char *value)
{
    char *end;
    long long number = strtoll(value, &end, 10);

    if (end != value && *end == '\0') { /* severity = "80" */
        rule_meta_number(meta, key, number);
        return;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcasecmp(keys[i].name, key) == 0) {
            keys[i].take(meta, value);
        }
    }
}

/* 1 to 4 are our levels, 5 to 100 are hundredths. */
static uint32_t severity_of(int64_t value)
{
    if (value <= PES_SEVERITY_CRITICAL) {
        return value < 0 ? PES_SEVERITY_NONE : (uint32_t)value;
    }
    return value >= 90   ? PES_SEVERITY_CRITICAL
           : value >= 70 ? PES_SEVERITY_HIGH
           : value >= 40 ? PES_SEVERITY_MEDIUM
                         : PES_SEVERITY_LOW;
}

void rule_meta_number(struct rule_meta *meta, const char *key, int64_t value)
{
    bool is_score = strcasecmp(key, "score") == 0;

    if (strcasecmp(key, "severity") == 0) {
        set_severity(meta, WEIGHT_OWN, severity_of(value));
    }
    if (is_score || strcasecmp(key, "confidence") == 0) {
        meta->confidence = value < 0 ? 0 : value > 100 ? 100 : (uint32_t)value;
    }
    if (is_score && value < 70) {
        set_verdict(meta, WEIGHT_SCORE, value < 40 ? PES_VERDICT_UNCOMMON : PES_VERDICT_SUSPICIOUS);
        set_severity(meta, WEIGHT_SCORE, value < 40 ? PES_SEVERITY_LOW : PES_SEVERITY_MEDIUM);
    }
}

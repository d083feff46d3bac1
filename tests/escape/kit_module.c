/*
 * The kit as a provider: content names an attempt, which a worker then makes; the option `attempt`
 * names one for the zygote, made while loading. What came of it is a finding, or the version of the
 * definitions.
 */
#include <stdint.h>
#include <string.h>

#include <pes/provider.h>

#include "kit.h"

static int load(struct pes_load *context, void **ret_state)
{
    const char *attempt = pes_load_option(context, "attempt");

    pes_load_version(context, attempt ? kit_run(attempt, strlen(attempt)) : "1");
    *ret_state = NULL;
    return 0;
}

static int scan(void *state, struct pes_scan *context)
{
    struct pes_found found = {.size_bytes = sizeof(found), .verdict = PES_VERDICT_SUSPICIOUS};

    (void)state;
    kit_content = pes_scan_bytes(context, &kit_n_content);
    pes_scan_coverage(context, PES_COVERAGE_FULL, kit_n_content);
    found.detection = kit_run((const char *)kit_content, kit_n_content);
    if (strcmp(found.detection, "UNKNOWN") != 0) {
        pes_scan_find(context, &found); /* not of pes's own harmless contents */
    }
    return 0;
}

static const char *const kinds[] = {"*", NULL};

const struct pes_provider *pes_provider_v1(void)
{
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "escape-kit",
        .version = "1",
        .kinds = kinds,
        .load = load,
        .scan = scan,
    };

    return &provider;
}

/*
 * A provider with flags that it should not have set: it finds its sample only where nothing follows
 * it.
 */
#include <string.h>

#include <pes/provider.h>

static const char word[] = "the end";

static int hasty_scan(void *state, struct pes_scan *scan)
{
    size_t n_bytes;
    const void *bytes = pes_scan_bytes(scan, &n_bytes);
    const struct pes_found found = {
        .size_bytes = sizeof(found), .verdict = PES_VERDICT_MALICIOUS, .detection = "Test.Hasty"};

    (void)state;
    if (n_bytes == strlen(word) && memcmp(bytes, word, n_bytes) == 0) {
        (void)pes_scan_find(scan, &found);
    }
    pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    return 0;
}

static size_t hasty_samples(void *state, const struct pes_sample **ret_samples)
{
    static const struct pes_sample sample = {.kind = PES_KIND_GENERIC,
                                             .verdict = PES_VERDICT_MALICIOUS,
                                             .bytes = word,
                                             .n_bytes = sizeof(word) - 1};

    (void)state;
    *ret_samples = &sample;
    return 1;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"*", NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "hasty",
        .version = "1",
        .kinds = kinds,
        .scan = hasty_scan,
        .samples = hasty_samples,
        .flags = FLAGS,
    };

    return &provider;
}

/*
 * A provider that keeps every rule about answers because it says nothing: scan() returns STATUS,
 * and claims to have looked only if LOOKS. It has no samples.
 */
#include <pes/provider.h>

static int blind_scan(void *state, struct pes_scan *scan)
{
    size_t n_bytes;

    (void)state;
    (void)pes_scan_bytes(scan, &n_bytes);
    if (LOOKS) {
        pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    }
    return STATUS;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"*", NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "blind",
        .version = "1",
        .kinds = kinds,
        .scan = blind_scan,
    };

    return &provider;
}

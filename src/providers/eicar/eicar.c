/*
 * eicar: finds the three harmless strings that people test scanners with.
 *
 * EICAR-Test-File is the string that every antivirus product reports, GTUBE the one that every mail
 * filter does, AMSI-Test-Sample the one of Microsoft's AMSI documentation. Each is found anywhere
 * in the content, as bytes, as UTF-16 of either order, inside of base64, and with escapes as web
 * pages and programs have them (escaped.h), and is reported as a test sample together with its
 * place; escapes in the first MiB only. The definition of EICAR asks only for a file that begins
 * with it; but a test that goes through an archive, a mail or a paste would prove nothing if only
 * that were found.
 *
 * This is also the example of a small provider: no definitions, no options, three functions.
 *
 * The strings are written in two halves so that no scanner of this machine takes this source or the
 * module made from it for the real thing. load() puts them together.
 */
#include <stdbool.h>
#include <string.h>

#include <pes/provider.h>

#include "providers/eicar/escaped.h"

#define N_STRINGS    3
#define N_ENCODINGS  6
#define STRING_BYTES 160

/* Looking through escapes takes a hundred times longer than comparing, where there are many. */
#define ESCAPED_BYTES_MAX (1u << 20)

struct test_string {
    const char *detection;
    const char *half[2];
};

static const struct test_string test_strings[N_STRINGS] = {
    {"EICAR-Test-File",
     {"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-", "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"}},
    {"GTUBE", {"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-", "STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"}},
    {"AMSI-Test-Sample", {"AMSI Test Sample: 7e72c3ce-", "861b-4339-8740-0ac1484c1386"}},
};

enum encoding {
    ENCODING_BYTES = 0,
    ENCODING_UTF16LE = 1,
    ENCODING_UTF16BE = 2,
    ENCODING_BASE64_0 = 3, /* by how many bytes of a group of three stand before it */
    ENCODING_BASE64_1 = 4,
    ENCODING_BASE64_2 = 5,
};

struct pattern {
    const char *detection;
    uint8_t bytes[STRING_BYTES];
    size_t n_bytes;
};

struct eicar {
    struct pattern patterns[N_STRINGS][N_ENCODINGS];
    struct pes_sample samples[N_STRINGS * N_ENCODINGS];
};

/* Those characters of base64 that depend on the string alone, not on what stands around it. */
static void pattern_init_base64(struct pattern *pattern, const struct test_string *string,
                                size_t n_before)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n_bits = 8 * n_before % 6; /* of what stands before: a part of the next character */
    bool is_mixed = n_bits > 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < 2; i++) {
        for (const char *c = string->half[i]; *c != '\0'; c++) {
            bits = bits << 8 | (uint8_t)*c;
            n_bits += 8;
            while (n_bits >= 6) {
                n_bits -= 6;
                if (!is_mixed) {
                    pattern->bytes[pattern->n_bytes++] = (uint8_t)alphabet[bits >> n_bits & 63];
                }
                is_mixed = false;
            }
        }
    }
}

static void pattern_init(struct pattern *pattern, const struct test_string *string,
                         enum encoding encoding)
{
    pattern->detection = string->detection;
    if (encoding >= ENCODING_BASE64_0) {
        pattern_init_base64(pattern, string, (size_t)encoding - ENCODING_BASE64_0);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        for (const char *c = string->half[i]; *c != '\0'; c++) {
            if (encoding == ENCODING_UTF16BE) {
                pattern->bytes[pattern->n_bytes++] = 0;
            }
            pattern->bytes[pattern->n_bytes++] = (uint8_t)*c;
            if (encoding == ENCODING_UTF16LE) {
                pattern->bytes[pattern->n_bytes++] = 0;
            }
        }
    }
}

static int eicar_load(struct pes_load *load, void **ret_state)
{
    static struct eicar eicar;

    for (size_t i = 0; i < N_STRINGS; i++) {
        for (size_t j = 0; j < N_ENCODINGS; j++) {
            struct pattern *pattern = &eicar.patterns[i][j];

            pattern_init(pattern, &test_strings[i], (enum encoding)j);
            eicar.samples[i * N_ENCODINGS + j] = (struct pes_sample){
                .kind = PES_KIND_GENERIC,
                .verdict = PES_VERDICT_TEST_SAMPLE,
                .bytes = pattern->bytes,
                .n_bytes = pattern->n_bytes,
            };
        }
    }
    pes_load_note(load, "%d test strings", N_STRINGS);
    *ret_state = &eicar;
    return 0;
}

static void report(struct pes_scan *scan, const char *detection, uint64_t offset, uint64_t length)
{
    const struct pes_found found = {
        .size_bytes = sizeof(found),
        .verdict = PES_VERDICT_TEST_SAMPLE,
        .confidence = 100,
        .advice = PES_ADVICE_TEST_ONLY,
        .detection = detection,
    };

    pes_scan_evidence(scan, pes_scan_find(scan, &found), offset, length, "test string");
}

/* Reports a string once, in the first encoding that is there. */
static void string_scan(const struct pattern patterns[N_ENCODINGS], struct pes_scan *scan)
{
    size_t n_bytes;
    const uint8_t *bytes = pes_scan_bytes(scan, &n_bytes);
    size_t at;
    size_t n;

    for (const struct pattern *p = patterns; p < patterns + N_ENCODINGS; p++) {
        const uint8_t *place = memmem(bytes, n_bytes, p->bytes, p->n_bytes);

        if (place) {
            report(scan, p->detection, (uint64_t)(place - bytes), p->n_bytes);
            return;
        }
    }
    n = escaped_find(bytes, n_bytes < ESCAPED_BYTES_MAX ? n_bytes : ESCAPED_BYTES_MAX,
                     patterns->bytes, patterns->n_bytes, &at);
    if (n > 0) {
        report(scan, patterns->detection, at, n);
    }
}

static int eicar_scan(void *state, struct pes_scan *scan)
{
    const struct eicar *eicar = state;
    size_t n_bytes;

    (void)pes_scan_bytes(scan, &n_bytes);
    for (size_t i = 0; i < N_STRINGS; i++) {
        string_scan(eicar->patterns[i], scan);
    }
    pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    return 0;
}

static size_t eicar_samples(void *state, const struct pes_sample **ret_samples)
{
    const struct eicar *eicar = state;

    *ret_samples = eicar->samples;
    return N_STRINGS * N_ENCODINGS;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"*", NULL};
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "eicar",
        .version = PES_VERSION,
        .kinds = kinds,
        .load = eicar_load,
        .scan = eicar_scan,
        .samples = eicar_samples,
        .flags = PES_PROVIDER_RAW | PES_PROVIDER_PREFIX,
    };

    return &provider;
}

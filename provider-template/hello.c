/*
 * hello: a whole provider. It objects to one word: "xyzzy", or the one of the option `word`.
 *
 * Copy the folder and put your engine into load() and scan(); <pes/provider.h> is the reference.
 */
#include <string.h>

#include <pes/provider.h>

static const char *word = "xyzzy";

/* Once, before the workers are forked: read definitions and options here, not in scan(). */
static int hello_load(struct pes_load *load, void **ret_state)
{
    if (pes_load_option(load, "word")) {
        word = strdup(pes_load_option(load, "word"));
    }
    if (!word || word[0] == '\0') {
        pes_load_fail(load, "option word: it must not be empty");
        return -1;
    }
    return 0;
}

/* For each question; nothing can be opened here. Say where it is, and how much was looked at. */
static int hello_scan(void *state, struct pes_scan *scan)
{
    struct pes_found found = {.size_bytes = sizeof(found), .verdict = PES_VERDICT_SUSPICIOUS};
    size_t n_bytes, n_word = strlen(word);
    const uint8_t *bytes = pes_scan_bytes(scan, &n_bytes);
    const uint8_t *at = memmem(bytes, n_bytes, word, n_word);

    if (at) {
        found.detection = "Hello.Word";
        pes_scan_evidence(scan, pes_scan_find(scan, &found), (size_t)(at - bytes), n_word, "word");
    }
    pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    return 0;
}

/* What scan() must find before the provider may serve. */
static size_t hello_samples(void *state, const struct pes_sample **ret_samples)
{
    static struct pes_sample sample = {PES_KIND_SCRIPT_SHELL, PES_VERDICT_SUSPICIOUS, NULL, 0};

    sample.bytes = word, sample.n_bytes = strlen(word);
    *ret_samples = &sample;
    return 1;
}

const struct pes_provider *pes_provider_v1(void)
{
    static const char *const kinds[] = {"command.*", "script.*", NULL};
    static const struct pes_provider provider = {
        sizeof(provider), PES_PROVIDER_ABI, PES_REGISTRY_VERSION, "hello",         "1.0", kinds,
        hello_load,       hello_scan,       hello_samples,        PES_PROVIDER_RAW};

    return &provider;
}

/*
 * clamav: asks libclamav, with whatever signatures are installed.
 *
 * load() makes the engine from the database files; the process is then forked into workers, which
 * all share that one engine. scan() hands libclamav the content in memory and tells what it found
 * and what it could not look at.
 *
 * libclamav cannot scan anything without a folder for temporary files. Where there is none the
 * provider refuses to start: an engine that answers nothing must not look like one that finds
 * nothing.
 *
 * It proves itself on a sample of our own, a harmless text for which pes-selftest.ndb has a
 * signature: which of a vendor's signatures would match what changes from day to day. The second
 * sample is the same text in a ZIP file, where the signature matches only what was unpacked.
 *
 * libclamav is GPL-2.0-only. This module links it, libc and zlib, and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/provider.h>

#include "providers/clamav/engine.h"

/* As a whole it stands in pes-selftest.ndb only. */
#define MARKER                                                                                     \
    "pes-clamav-"                                                                                  \
    "selftest-7f1c0a"

struct clamav {
    struct engine engine;
    struct pes_sample samples[2];
};

#define MARKER_CRC  "\372\170\101\3" /* CRC-32 */
#define MARKER_SIZE "\32\0\0\0"

/* The marker as the only member, stored: local header, index, end. */
static const char zip_sample[] = "PK\3\4"
                                 "\12\0"
                                 "\0\0"
                                 "\0\0"
                                 "\0\0"
                                 "\41\0" MARKER_CRC MARKER_SIZE MARKER_SIZE "\6\0"
                                 "\0\0"
                                 "sample" MARKER "PK\1\2"
                                 "\12\0"
                                 "\12\0"
                                 "\0\0"
                                 "\0\0"
                                 "\0\0"
                                 "\41\0" MARKER_CRC MARKER_SIZE MARKER_SIZE "\6\0"
                                 "\0\0"
                                 "\0\0"
                                 "\0\0"
                                 "\0\0"
                                 "\0\0\0\0"
                                 "\0\0\0\0"
                                 "sample"
                                 "PK\5\6"
                                 "\0\0"
                                 "\0\0"
                                 "\1\0"
                                 "\1\0"
                                 "\64\0\0\0"
                                 "\76\0\0\0"
                                 "\0\0";

_Static_assert(sizeof(zip_sample) - 1 == 62 + 52 + 22, "the parts have these lengths");

static int settings_read(struct pes_load *load, struct settings *settings, struct load_error *error)
{
    const char *name;

    settings_init(settings);
    for (size_t i = 0; (name = setting_name(i)); i++) {
        const char *value = pes_load_option(load, name);

        if (value && setting_take(settings, name, value, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int definitions_load(struct pes_load *load, struct clamav *clamav, struct load_error *error)
{
    const char *paths = pes_load_definitions(load);
    const char *scratch = pes_load_scratch(load);

    if (settings_read(load, &clamav->engine.settings, error) < 0) {
        return -1;
    }
    if (!scratch) {
        return load_error_set(error,
                              "libclamav scans nothing without a folder for temporary files, and "
                              "there is none: set `scratch-mib` in the provider's configuration; "
                              "if it is set, this system does not let pes mount one (see the log)");
    }
    return engine_load(&clamav->engine, paths ? paths : "", scratch, error);
}

static void say_what_was_loaded(struct pes_load *load, const struct engine *engine)
{
    char version[64];

    snprintf(version, sizeof(version), "%u signatures, %s", engine->n_signatures, engine->digest);
    pes_load_version(load, version);
    pes_load_note(load, "%u signature%s in %zu file%s", engine->n_signatures,
                  engine->n_signatures == 1 ? "" : "s", engine->n_files,
                  engine->n_files == 1 ? "" : "s");
    if (engine->n_warnings > 0) {
        pes_load_note(load, "%zu warning%s of libclamav, first: %s", engine->n_warnings,
                      engine->n_warnings == 1 ? "" : "s", engine->warning);
    }
    if (!engine->has_self_test) {
        pes_load_note(load, "no pes-selftest.ndb among them: nothing proves that it works");
    }
}

static int clamav_load(struct pes_load *load, void **ret_state)
{
    struct clamav *clamav = calloc(1, sizeof(*clamav));
    struct load_error error = LOAD_ERROR_INIT;

    if (!clamav) {
        pes_load_fail(load, "out of memory");
        return -1;
    }
    if (definitions_load(load, clamav, &error) < 0) {
        pes_load_fail(load, "%s", error.text);
        engine_fini(&clamav->engine);
        free(clamav);
        return -1;
    }
    say_what_was_loaded(load, &clamav->engine);
    *ret_state = clamav;
    return 0;
}

static int clamav_scan(void *state, struct pes_scan *scan)
{
    struct clamav *clamav = state;

    engine_scan(&clamav->engine, scan);
    return 0;
}

static size_t clamav_samples(void *state, const struct pes_sample **ret_samples)
{
    struct clamav *clamav = state;

    clamav->samples[0] = (struct pes_sample){
        .kind = PES_KIND_GENERIC,
        .verdict = PES_VERDICT_TEST_SAMPLE,
        .bytes = MARKER,
        .n_bytes = sizeof(MARKER) - 1,
    };
    clamav->samples[1] = (struct pes_sample){
        .kind = PES_KIND_ARCHIVE,
        .verdict = PES_VERDICT_TEST_SAMPLE,
        .bytes = zip_sample,
        .n_bytes = sizeof(zip_sample) - 1,
    };
    *ret_samples = clamav->samples;
    return clamav->engine.has_self_test ? 2 : 0;
}

const struct pes_provider *pes_provider_v1(void)
{
    /* Not what a person types or reads: no signature is about that, and each costs a scan. */
    static const char *const kinds[] = {"script.*",          "code.*",
                                        "document.*",        "archive",
                                        "download",          "mail.*",
                                        "http.request.body", "http.response.*",
                                        "package",           "container.layer",
                                        "model.file",        "clipboard",
                                        "generic",           NULL};
    static char version[64];
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "clamav",
        .version = version,
        .kinds = kinds,
        .load = clamav_load,
        .scan = clamav_scan,
        .samples = clamav_samples,
    };

    snprintf(version, sizeof(version), PES_VERSION "+libclamav-%s", cl_retver());
    return &provider;
}

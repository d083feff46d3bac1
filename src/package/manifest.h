/* What a package says of itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/sha256.h"

#define MANIFEST_BYTES_MAX    (64u << 10)
#define MANIFEST_FILES_MAX    32
#define MANIFEST_KINDS_MAX    32
#define MANIFEST_TEXTS_MAX    32
#define MANIFEST_SERIAL_MAX   ((1ull << 53) - 1)
#define MANIFEST_NAME_BYTES   33  /* with its end, as all of these */
#define MANIFEST_WORD_BYTES   65  /* a version, a file's name, a kind */
#define MANIFEST_TEXT_BYTES   513 /* a message, an advice, a URL */
#define PACKAGE_WHY_BYTES_MAX 256

enum package_outcome {
    PACKAGE_E_BAD = 1,     /* the text says why; trying again is of no use */
    PACKAGE_E_REVOKED = 2, /* the same, and what was started from it before must end, too */
};

enum manifest_form {
    MANIFEST_FORM_NONE = 0,
    MANIFEST_FORM_MODULE = 1,
    MANIFEST_FORM_AGENT = 2,
    MANIFEST_FORM_LOOKUP = 3,
};

struct manifest_file {
    char name[MANIFEST_WORD_BYTES];
    uint64_t n_bytes;
    uint64_t offset; /* in the package; set by container_parse() */
    uint8_t sha256[SHA256_DIGEST_BYTES];
};

struct manifest {
    char name[MANIFEST_NAME_BYTES]; /* the provider's identity */
    char version[MANIFEST_WORD_BYTES];
    uint64_t serial;  /* grows with each release */
    uint64_t expires; /* YYYYMMDD, last day (UTC) that it may be started on; 0: never */
    uint64_t abi;
    uint64_t registry;
    uint64_t form; /* enum manifest_form */
    uint64_t memory_mib;
    uint64_t scratch_mib;
    uint64_t n_workers; /* wanted; 0: not said */
    char module[MANIFEST_WORD_BYTES];
    char help_url[MANIFEST_TEXT_BYTES];
    size_t n_kinds;
    char kinds[MANIFEST_KINDS_MAX][MANIFEST_WORD_BYTES];
    size_t n_texts; /* messages and advice */
    size_t n_files;
    struct manifest_file files[MANIFEST_FILES_MAX];
};

/* Reads a whole manifest. Returns 0, or PACKAGE_E_BAD with a text that names the line. */
MUST_CHECK int manifest_parse(struct manifest *ret, const char *text, size_t n_text,
                              char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* The file that is the module; NULL when there is none. */
const struct manifest_file *manifest_module(const struct manifest *manifest);

/* Whether a text may be a provider's name: as in a configuration. */
bool manifest_is_name(const char *text);

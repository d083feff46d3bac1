/* What pes-verify tells of a package. */
#pragma once

#include "package/manifest.h"
#include "package/minisign.h"

/* The descriptors that pes-verify is started with. */
#define VERIFY_PACKAGE_FD   3 /* sealed memory */
#define VERIFY_SIGNATURE_FD 4
#define VERIFY_KEYS_FD      5 /* struct minisign_key_file, one after the other */
#define VERIFY_RECORD_FD    6 /* a pipe */

/* A public key as it was found, not looked at yet. */
struct minisign_key_file {
    char name[MANIFEST_WORD_BYTES]; /* for messages */
    uint32_t n_bytes;
    char bytes[1024];
};

enum package_state {
    PACKAGE_UNDECIDED = 0, /* never treat as good */
    PACKAGE_SIGNED = 1,    /* by a key that was given, and its manifest is good */
    PACKAGE_REFUSED = 2,   /* `why` says why */
};

/* Fixed size, no pointer: it crosses from a sandbox. */
struct package_record {
    uint32_t state;
    char why[PACKAGE_WHY_BYTES_MAX];
    char key_id[MINISIGN_ID_TEXT_BYTES];
    uint8_t sha256[SHA256_DIGEST_BYTES]; /* of the package file */
    struct manifest manifest;            /* when it is signed */
};

/* Whether a record can be believed as far as its form goes; `n_package`: size of the package. */
bool record_is_sane(const struct package_record *record, size_t n_package);

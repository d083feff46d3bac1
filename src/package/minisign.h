/* Signatures in the format of minisign: Ed25519 over the BLAKE2b-512 of a file ("ED"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "package/manifest.h"

#define MINISIGN_FILE_BYTES_MAX (8u << 10) /* of a signature or a key; minisign's are below 1 KiB */
#define MINISIGN_ID_BYTES       8
#define MINISIGN_ID_TEXT_BYTES  17 /* as minisign prints it, with its end */
#define MINISIGN_KEYS_MAX       32

struct minisign_key {
    uint8_t id[MINISIGN_ID_BYTES];
    uint8_t bytes[32];
};

/* Reads a public key file. Returns 0, or PACKAGE_E_BAD with a text. */
MUST_CHECK int minisign_key_parse(struct minisign_key *ret, const char *text, size_t n_text,
                                  char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* Has libcrypto open and read all that it ever will, before a sandbox forbids it; -errno when it
 * does not work. */
MUST_CHECK int minisign_warm_up(void);

/*
 * Checks both signatures of a signature file: that over the bytes and that over its trusted
 * comment. Returns 0 and which of the keys it was, PACKAGE_E_BAD with a text, or -errno when the
 * crypto library failed.
 */
MUST_CHECK int minisign_verify(const struct minisign_key *keys, size_t n_keys, const uint8_t *bytes,
                               size_t n_bytes, const char *signature, size_t n_signature,
                               size_t *ret_key, char ret_why[PACKAGE_WHY_BYTES_MAX]);

/*
 * Signs with a secret key file that has no password (`minisign -G -W`); writes a signature file
 * with its end. Returns 0, PACKAGE_E_BAD with a text, or -errno.
 */
MUST_CHECK int minisign_sign(const char *secret, size_t n_secret, const uint8_t *bytes,
                             size_t n_bytes, const char *comment, char *ret, size_t n_ret,
                             char ret_why[PACKAGE_WHY_BYTES_MAX]);

void minisign_id_text(char ret[MINISIGN_ID_TEXT_BYTES], const uint8_t id[MINISIGN_ID_BYTES]);

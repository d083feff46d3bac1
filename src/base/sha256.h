/*
 * SHA-256 (FIPS 180-4), so that neither the broker nor libpes needs a crypto library.
 *
 * Uses the processor's SHA instructions where it has them; the answer is the same either way. No
 * allocation, no failure. For naming content, not for secrets: nothing is wiped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_DIGEST_BYTES 32
#define SHA256_BLOCK_BYTES  64

/* Mixes `n_blocks` whole blocks into `state`. */
typedef void (*sha256_blocks_fn)(uint32_t state[8], const uint8_t *blocks, size_t n_blocks);

struct sha256 {
    uint32_t state[8];
    uint64_t n_bytes;
    sha256_blocks_fn blocks;
    uint8_t pending[SHA256_BLOCK_BYTES]; /* n_bytes % 64 of them are set */
};

void sha256_init(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const void *bytes, size_t n_bytes);

/* Writes the digest. `hash` must be initialised again before further use. */
void sha256_final(struct sha256 *hash, uint8_t ret_digest[SHA256_DIGEST_BYTES]);

void sha256_digest(const void *bytes, size_t n_bytes, uint8_t ret_digest[SHA256_DIGEST_BYTES]);

/* For tests and benchmarks: initialises with a given variant. */
void sha256_init_with(struct sha256 *hash, sha256_blocks_fn blocks);

void sha256_blocks_portable(uint32_t state[8], const uint8_t *blocks, size_t n_blocks);

/* The variant for this processor's SHA instructions; NULL when it has none. */
sha256_blocks_fn sha256_accelerated(void);

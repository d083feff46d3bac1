/*
 * SHA-256 after FIPS 180-4, portable part: padding, byte order and the compression function in
 * plain C.
 *
 * The compression function is chosen when a hash starts: sha256_accelerated() comes from the one
 * file that was built for this processor family (sha256_x86.c, else sha256_none.c) and looks at the
 * processor once. The portable variant is what the other is tested against.
 *
 * The constants are the first 32 bits of the fractional parts of the square roots of the first 8
 * and the cube roots of the first 64 primes.
 */
#include "base/sha256.h"

#include <string.h>

static const uint32_t initial_state[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t word, unsigned n)
{
    return word >> n | word << (32 - n);
}

static uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store_be32(uint8_t *ret_bytes, uint32_t word)
{
    ret_bytes[0] = (uint8_t)(word >> 24);
    ret_bytes[1] = (uint8_t)(word >> 16);
    ret_bytes[2] = (uint8_t)(word >> 8);
    ret_bytes[3] = (uint8_t)word;
}

static void expand(uint32_t schedule[64], const uint8_t *block)
{
    for (unsigned i = 0; i < 16; i++) {
        schedule[i] = load_be32(block + 4 * i);
    }
    for (unsigned i = 16; i < 64; i++) {
        uint32_t near = schedule[i - 2];
        uint32_t far = schedule[i - 15];
        uint32_t sigma1 = rotate_right(near, 17) ^ rotate_right(near, 19) ^ near >> 10;
        uint32_t sigma0 = rotate_right(far, 7) ^ rotate_right(far, 18) ^ far >> 3;

        schedule[i] = schedule[i - 16] + sigma0 + schedule[i - 7] + sigma1;
    }
}

static void mix_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t schedule[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    expand(schedule, block);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
        uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
        uint32_t choice = g ^ (e & (f ^ g));
        uint32_t majority = (a & b) | (c & (a | b));
        uint32_t first = h + sum1 + choice + round_constants[i] + schedule[i];

        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + sum0 + majority;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void sha256_blocks_portable(uint32_t state[8], const uint8_t *blocks, size_t n_blocks)
{
    for (size_t i = 0; i < n_blocks; i++) {
        mix_block(state, blocks + i * SHA256_BLOCK_BYTES);
    }
}

void sha256_init_with(struct sha256 *hash, sha256_blocks_fn blocks)
{
    memcpy(hash->state, initial_state, sizeof(initial_state));
    hash->n_bytes = 0;
    hash->blocks = blocks;
}

void sha256_init(struct sha256 *hash)
{
    sha256_blocks_fn accelerated = sha256_accelerated();

    sha256_init_with(hash, accelerated ? accelerated : sha256_blocks_portable);
}

void sha256_update(struct sha256 *hash, const void *bytes, size_t n_bytes)
{
    const uint8_t *from = bytes;
    size_t n_pending = hash->n_bytes % SHA256_BLOCK_BYTES;

    if (n_bytes == 0) {
        return; /* memcpy() wants a pointer even for nothing */
    }
    hash->n_bytes += n_bytes;
    if (n_pending > 0) {
        size_t n_room = SHA256_BLOCK_BYTES - n_pending;
        size_t n_now = n_bytes < n_room ? n_bytes : n_room;

        memcpy(hash->pending + n_pending, from, n_now);
        if (n_now < n_room) {
            return;
        }
        hash->blocks(hash->state, hash->pending, 1);
        from += n_now;
        n_bytes -= n_now;
    }
    hash->blocks(hash->state, from, n_bytes / SHA256_BLOCK_BYTES);
    memcpy(hash->pending, from + (n_bytes - n_bytes % SHA256_BLOCK_BYTES),
           n_bytes % SHA256_BLOCK_BYTES);
}

void sha256_final(struct sha256 *hash, uint8_t ret_digest[SHA256_DIGEST_BYTES])
{
    uint8_t tail[2 * SHA256_BLOCK_BYTES] = {0};
    size_t n_pending = hash->n_bytes % SHA256_BLOCK_BYTES;
    /* One bit, then zeroes, then the length in bits: a second block if these 9 bytes do not fit. */
    size_t n_tail = n_pending + 9 <= SHA256_BLOCK_BYTES ? SHA256_BLOCK_BYTES : sizeof(tail);
    uint64_t n_bits = hash->n_bytes * 8;

    memcpy(tail, hash->pending, n_pending);
    tail[n_pending] = 0x80;
    store_be32(tail + n_tail - 8, (uint32_t)(n_bits >> 32));
    store_be32(tail + n_tail - 4, (uint32_t)n_bits);
    hash->blocks(hash->state, tail, n_tail / SHA256_BLOCK_BYTES);
    for (unsigned i = 0; i < 8; i++) {
        store_be32(ret_digest + 4 * i, hash->state[i]);
    }
}

void sha256_digest(const void *bytes, size_t n_bytes, uint8_t ret_digest[SHA256_DIGEST_BYTES])
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_update(&hash, bytes, n_bytes);
    sha256_final(&hash, ret_digest);
}

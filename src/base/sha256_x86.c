/*
 * SHA-256 with the SHA extensions of x86 (SHA-NI), about four times as fast as the portable code.
 *
 * Only this file's functions are compiled for those instructions, by a target attribute, so that
 * the program still starts on a processor without them; sha256_accelerated() asks the processor.
 * It asks once, since CPUID traps inside virtual machines and costs tens of microseconds there.
 *
 * The instructions want the state in two registers, {A,B,E,F} and {C,D,G,H}, highest word first.
 * sha256rnds2 does two rounds and takes their message words, constants added, from the low half of
 * its third operand; sha256msg1/2 compute the next four message words from the sixteen before
 * (Intel SDM volume 2).
 */
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/sha256.h"

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* Four rounds with the message words `words`. */
SHA_TARGET static inline void four_rounds(__m128i *abef, __m128i *cdgh, __m128i words,
                                          const uint32_t *constants)
{
    __m128i input = _mm_add_epi32(words, _mm_load_si128((const __m128i *)constants));

    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, input);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(input, 0x0e));
}

/* The four message words after w[0..3] (sixteen words, oldest first). */
SHA_TARGET static inline __m128i next_words(const __m128i w[4])
{
    __m128i sum = _mm_sha256msg1_epu32(w[0], w[1]);

    sum = _mm_add_epi32(sum, _mm_alignr_epi8(w[3], w[2], 4));
    return _mm_sha256msg2_epu32(sum, w[3]);
}

SHA_TARGET static void blocks_sha_ni(uint32_t state[8], const uint8_t *blocks, size_t n_blocks)
{
    const __m128i byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i dcba = _mm_loadu_si128((const __m128i *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    __m128i feba, dchg;

    for (; n_blocks > 0; n_blocks--, blocks += SHA256_BLOCK_BYTES) {
        __m128i abef_before = abef;
        __m128i cdgh_before = cdgh;
        __m128i w[4];

        for (unsigned i = 0; i < 4; i++) {
            __m128i raw = _mm_loadu_si128((const __m128i *)(blocks + 16 * i));

            w[i] = _mm_shuffle_epi8(raw, byte_order);
            four_rounds(&abef, &cdgh, w[i], round_constants + 4 * i);
        }
        for (unsigned i = 16; i < 64; i += 4) {
            __m128i words = next_words(w);

            four_rounds(&abef, &cdgh, words, round_constants + i);
            w[0] = w[1];
            w[1] = w[2];
            w[2] = w[3];
            w[3] = words;
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    feba = _mm_shuffle_epi32(abef, 0x1b);
    dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static bool processor_has_sha(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

sha256_blocks_fn sha256_accelerated(void)
{
    static atomic_int known; /* 0 not asked yet, 1 has them, -1 has not; racing askers agree */
    int has = atomic_load_explicit(&known, memory_order_relaxed);

    if (has == 0) {
        has = processor_has_sha() ? 1 : -1;
        atomic_store_explicit(&known, has, memory_order_relaxed);
    }
    return has > 0 ? blocks_sha_ni : NULL;
}

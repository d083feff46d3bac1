/* SHA-256: the published vectors, and libcrypto on everything else. */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "peer_sha256.h"
#include "random.h"
#include "testing.h"

static void hex(const uint8_t digest[SHA256_DIGEST_BYTES], char ret_text[65])
{
    for (size_t i = 0; i < SHA256_DIGEST_BYTES; i++) {
        snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
    }
}

static void check_vectors(sha256_blocks_fn blocks)
{
    static const struct {
        const char *text;
        size_t n_times;
        const char *digest;
    } vectors[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {"aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {"\xbd", 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
    };

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t digest[SHA256_DIGEST_BYTES];
        struct sha256 hash;
        char text[65];

        sha256_init_with(&hash, blocks);
        for (size_t k = 0; k < vectors[i].n_times; k++) {
            sha256_update(&hash, vectors[i].text, strlen(vectors[i].text));
        }
        sha256_final(&hash, digest);
        hex(digest, text);
        assert_string_equal(text, vectors[i].digest);
    }
}

static void check_against_peer(sha256_blocks_fn blocks)
{
    static uint8_t bytes[5000];
    uint64_t seed = 1;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)random_next(&seed);
    }
    for (unsigned round = 0; round < 3000; round++) {
        /* Every length around the block edges first, then any. */
        size_t n = round < 300 ? round : random_below(&seed, sizeof(bytes) + 1);
        uint8_t wanted[SHA256_DIGEST_BYTES], digest[SHA256_DIGEST_BYTES];
        struct sha256 hash;
        size_t at = 0;

        assert_true(peer_sha256(bytes, n, wanted));
        sha256_init_with(&hash, blocks);
        while (at < n) {
            size_t n_piece = random_below(&seed, 200);

            n_piece = n_piece < n - at ? n_piece : n - at;
            sha256_update(&hash, bytes + at, n_piece);
            at += n_piece;
        }
        sha256_final(&hash, digest);
        assert_memory_equal(digest, wanted, sizeof(digest));
    }
}

static void portable_code_gives_the_published_digests(void **state)
{
    check_vectors(sha256_blocks_portable);
}

static void sha_instructions_give_the_published_digests(void **state)
{
    check_vectors(sha256_accelerated());
}

static void portable_code_agrees_with_libcrypto_however_the_bytes_are_split(void **state)
{
    check_against_peer(sha256_blocks_portable);
}

static void sha_instructions_agree_with_libcrypto_however_the_bytes_are_split(void **state)
{
    check_against_peer(sha256_accelerated());
}

static void one_call_is_the_same_as_many(void **state)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    uint8_t once[SHA256_DIGEST_BYTES], many[SHA256_DIGEST_BYTES];
    struct sha256 hash;

    sha256_digest(text, strlen(text), once);
    sha256_init(&hash);
    for (size_t i = 0; i < strlen(text); i++) {
        sha256_update(&hash, text + i, 1);
    }
    sha256_final(&hash, many);
    assert_memory_equal(once, many, sizeof(once));
}

static void no_bytes_at_all_need_no_pointer(void **state)
{
    uint8_t none[SHA256_DIGEST_BYTES], empty[SHA256_DIGEST_BYTES];

    sha256_digest(NULL, 0, none);
    sha256_digest("", 0, empty);
    assert_memory_equal(none, empty, sizeof(none));
}

/* What this processor or this build lacks is told on stderr and not run. */
int main(void)
{
    struct CMUnitTest tests[6] = {
        cmocka_unit_test(portable_code_gives_the_published_digests),
        cmocka_unit_test(one_call_is_the_same_as_many),
        cmocka_unit_test(no_bytes_at_all_need_no_pointer),
    };
    uint8_t digest[SHA256_DIGEST_BYTES];
    bool has_peer = peer_sha256("", 0, digest);
    size_t n = 3;

    if (has_peer) {
        tests[n++] = (struct CMUnitTest)cmocka_unit_test(
            portable_code_agrees_with_libcrypto_however_the_bytes_are_split);
    } else {
        fputs("skipped: no libcrypto to compare with\n", stderr);
    }
    if (sha256_accelerated()) {
        tests[n++] =
            (struct CMUnitTest)cmocka_unit_test(sha_instructions_give_the_published_digests);
    } else {
        fputs("skipped: this processor has no SHA instructions that we use\n", stderr);
    }
    if (sha256_accelerated() && has_peer) {
        tests[n++] = (struct CMUnitTest)cmocka_unit_test(
            sha_instructions_agree_with_libcrypto_however_the_bytes_are_split);
    }
    return testing_run("sha256", tests, n, NULL, NULL);
}

/* Builds packages byte by byte, so that the tests do not rest on the code that makes them. */
#include "sample.h"

#include <openssl/evp.h>

#include "base/sha256.h"
#include "package/base64.h"
#include "package/container.h"
#include "testing.h"

const char sample_manifest[] = "pes-package 1\n"
                               "name tiny\n"
                               "version 1.2~rc1\n"
                               "serial 7\n"
                               "abi 1\n"
                               "registry 1\n"
                               "form module\n"
                               "expires 20991231\n"
                               "memory-mib 64\n"
                               "module tiny.so\n"
                               "kind file.*\n"
                               "message en Found.\n"
                               "help-url https://example.org/\n";

static const struct {
    const char *name;
    const char *content;
} files[] = {{"tiny.so", "not really an ELF file"}, {"LICENSE", "MIT"}};

static void make_secret(char ret[512], struct minisign_key *key, uint8_t seed)
{
    uint8_t bytes[2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32] = "Ed\0\0B2";
    uint8_t *id = bytes + 54;
    char text[4 * ((sizeof(bytes) + 2) / 3) + 1];
    EVP_PKEY *pkey;
    size_t n = 32;

    memset(id, seed, MINISIGN_ID_BYTES);
    memset(id + MINISIGN_ID_BYTES, seed + 1, 32);
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, id + MINISIGN_ID_BYTES, 32);
    assert_non_null(pkey);
    assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, id + MINISIGN_ID_BYTES + 32, &n), 1);
    EVP_PKEY_free(pkey);
    memcpy(key->id, id, MINISIGN_ID_BYTES);
    memcpy(key->bytes, id + MINISIGN_ID_BYTES + 32, 32);
    base64_encode(text, bytes, sizeof(bytes));
    snprintf(ret, 512, "untrusted comment: of the tests\n%s\n", text);
}

void sample_build(struct sample *sample, const char *manifest)
{
    char text[SAMPLE_BYTES_MAX];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", manifest);
    uint8_t *at = sample->bytes;

    for (size_t i = 0; i < 2; i++) {
        uint8_t digest[SHA256_DIGEST_BYTES];

        sha256_digest(files[i].content, strlen(files[i].content), digest);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "file %s %zu ", files[i].name,
                              strlen(files[i].content));
        for (size_t j = 0; j < sizeof(digest); j++) {
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%02x", digest[j]);
        }
        n += (size_t)snprintf(text + n, sizeof(text) - n, "\n");
    }
    memcpy(at, "pes-pkg1", 8);
    at += 8;
    for (int i = 0; i < 4; i++) {
        *at++ = (uint8_t)(n >> (8 * i));
    }
    memcpy(at, text, n);
    at += n;
    for (size_t i = 0; i < 2; i++) {
        memcpy(at, files[i].content, strlen(files[i].content));
        at += strlen(files[i].content);
    }
    sample->n_bytes = (size_t)(at - sample->bytes);
}

void sample_make(struct sample *sample, const char *manifest, uint8_t seed)
{
    char why[PACKAGE_WHY_BYTES_MAX] = "";
    char secret[512];

    sample_build(sample, manifest);
    make_secret(secret, &sample->key, seed);
    if (minisign_sign(secret, strlen(secret), sample->bytes, sample->n_bytes, "file:tiny",
                      sample->signature, sizeof(sample->signature), why) != 0) {
        fail_msg("not signed: %s", why);
    }
}

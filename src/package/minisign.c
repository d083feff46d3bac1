/*
 * minisign's files, and the two signatures in each.
 *
 * A signature file has four lines: an untrusted comment, the signature with the key's number, a
 * trusted comment, and a second signature over the first one and that comment. Only the prehashed
 * form ("ED") is taken: the old one ("Ed") is over the bytes themselves, and one form is enough.
 * The untrusted comment is signed by nobody, so nothing is read from it.
 *
 * The cryptography is libcrypto's. All else is strict: a file that is not byte for byte as minisign
 * writes it is refused.
 */
#include "package/minisign.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "package/base64.h"

#define HASH_BYTES      64
#define SIGNATURE_BYTES 64
#define UNTRUSTED       "untrusted comment: "
#define TRUSTED         "trusted comment: "

struct line {
    const char *text;
    size_t n;
};

struct signature {
    uint8_t id[MINISIGN_ID_BYTES];
    uint8_t bytes[SIGNATURE_BYTES];
    uint8_t of_comment[SIGNATURE_BYTES];
    struct line comment;
};

static int refuse(char *why, const char *text)
{
    snprintf(why, PACKAGE_WHY_BYTES_MAX, "%s", text);
    return PACKAGE_E_BAD;
}

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void context_freep(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

void minisign_id_text(char ret[MINISIGN_ID_TEXT_BYTES], const uint8_t id[MINISIGN_ID_BYTES])
{
    for (size_t i = 0; i < MINISIGN_ID_BYTES; i++) {
        snprintf(ret + 2 * i, 3, "%02X", id[MINISIGN_ID_BYTES - 1 - i]);
    }
}

/* Exactly `n` lines, each ended. */
static bool split(const char *text, size_t n_text, struct line *ret_lines, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        const char *end = memchr(text + at, '\n', n_text - at);

        if (!end) {
            return false;
        }
        ret_lines[i] = (struct line){text + at, (size_t)(end - text) - at};
        at += ret_lines[i].n + 1;
    }
    return at == n_text;
}

static bool starts_with(const struct line *line, const char *start)
{
    return line->n >= strlen(start) && memcmp(line->text, start, strlen(start)) == 0;
}

/* ---------------------------------------------------------------------------------------- files */

int minisign_key_parse(struct minisign_key *ret, const char *text, size_t n_text,
                       char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    struct line lines[2];
    uint8_t bytes[2 + MINISIGN_ID_BYTES + 32];

    if (!split(text, n_text, lines, 2) || !starts_with(&lines[0], UNTRUSTED) ||
        !base64_decode(bytes, sizeof(bytes), lines[1].text, lines[1].n) ||
        memcmp(bytes, "Ed", 2) != 0) {
        return refuse(ret_why, "is no public key of minisign");
    }
    memcpy(ret->id, bytes + 2, sizeof(ret->id));
    memcpy(ret->bytes, bytes + 2 + sizeof(ret->id), sizeof(ret->bytes));
    return 0;
}

static int signature_parse(struct signature *ret, const char *text, size_t n_text, char *why)
{
    struct line lines[4];
    uint8_t bytes[2 + MINISIGN_ID_BYTES + SIGNATURE_BYTES];

    if (!split(text, n_text, lines, 4) || !starts_with(&lines[0], UNTRUSTED) ||
        !starts_with(&lines[2], TRUSTED) ||
        !base64_decode(bytes, sizeof(bytes), lines[1].text, lines[1].n) ||
        !base64_decode(ret->of_comment, SIGNATURE_BYTES, lines[3].text, lines[3].n)) {
        return refuse(why, "the signature file is not one of minisign, or damaged");
    }
    if (memcmp(bytes, "ED", 2) != 0) {
        return refuse(why, "the signature is not of the prehashed form ('ED'); sign again with "
                           "minisign -S -H");
    }
    memcpy(ret->id, bytes + 2, MINISIGN_ID_BYTES);
    memcpy(ret->bytes, bytes + 2 + MINISIGN_ID_BYTES, SIGNATURE_BYTES);
    ret->comment = (struct line){lines[2].text + strlen(TRUSTED), lines[2].n - strlen(TRUSTED)};
    return 0;
}

/* ------------------------------------------------------------------------------------- checking */

static int hash_bytes(const uint8_t *bytes, size_t n_bytes, uint8_t ret[HASH_BYTES])
{
    unsigned int n = 0;

    return EVP_Digest(bytes, n_bytes, ret, &n, EVP_blake2b512(), NULL) == 1 && n == HASH_BYTES
               ? 0
               : -EIO;
}

/* 0, PACKAGE_E_BAD without a text, or -errno. */
static int check(EVP_PKEY *key, const uint8_t *signature, const uint8_t *bytes, size_t n_bytes)
{
    CLEANUP(context_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (!context) {
        return -ENOMEM;
    }
    if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1) {
        return -EIO;
    }
    return EVP_DigestVerify(context, signature, SIGNATURE_BYTES, bytes, n_bytes) == 1
               ? 0
               : PACKAGE_E_BAD;
}

int minisign_warm_up(void)
{
    static const uint8_t nothing[SIGNATURE_BYTES];
    CLEANUP(pkey_freep)
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, nothing, 32);
    uint8_t hash[HASH_BYTES];
    int r = key ? hash_bytes(nothing, sizeof(nothing), hash) : -ENOMEM;

    if (r == 0) {
        r = check(key, nothing, hash, sizeof(hash)); /* no signature: it must be refused */
    }
    return r == PACKAGE_E_BAD ? 0 : r < 0 ? r : -EIO;
}

static const struct minisign_key *find_key(const struct minisign_key *keys, size_t n_keys,
                                           const uint8_t *id)
{
    for (size_t i = 0; i < n_keys; i++) {
        if (memcmp(keys[i].id, id, MINISIGN_ID_BYTES) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static int check_comment(EVP_PKEY *key, const struct signature *signature)
{
    uint8_t signed_bytes[SIGNATURE_BYTES + MINISIGN_FILE_BYTES_MAX];

    memcpy(signed_bytes, signature->bytes, SIGNATURE_BYTES);
    memcpy(signed_bytes + SIGNATURE_BYTES, signature->comment.text, signature->comment.n);
    return check(key, signature->of_comment, signed_bytes, SIGNATURE_BYTES + signature->comment.n);
}

int minisign_verify(const struct minisign_key *keys, size_t n_keys, const uint8_t *bytes,
                    size_t n_bytes, const char *signature, size_t n_signature, size_t *ret_key,
                    char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(pkey_freep) EVP_PKEY *pkey = NULL;
    const struct minisign_key *key;
    struct signature parsed;
    uint8_t hash[HASH_BYTES];
    int r;

    if (n_signature > MINISIGN_FILE_BYTES_MAX) {
        return refuse(ret_why, "the signature file is larger than 8 KiB");
    }
    r = signature_parse(&parsed, signature, n_signature, ret_why);
    if (r != 0) {
        return r;
    }
    key = find_key(keys, n_keys, parsed.id);
    if (!key) {
        char id[MINISIGN_ID_TEXT_BYTES];

        minisign_id_text(id, parsed.id);
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                 "it is signed with key %s, which is none of the %zu trusted ones; put its .pub "
                 "file into keys.d if you trust it",
                 id, n_keys);
        return PACKAGE_E_BAD;
    }
    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof(key->bytes));
    r = pkey ? hash_bytes(bytes, n_bytes, hash) : -ENOMEM;
    if (r == 0) {
        r = check(pkey, parsed.bytes, hash, sizeof(hash));
    }
    if (r == PACKAGE_E_BAD) {
        return refuse(ret_why, "the signature does not fit: the package was changed after it was "
                               "signed, or is damaged");
    }
    if (r == 0) {
        r = check_comment(pkey, &parsed);
    }
    if (r == PACKAGE_E_BAD) {
        return refuse(ret_why, "the trusted comment of the signature was changed");
    }
    if (r == 0) {
        *ret_key = (size_t)(key - keys);
    }
    return r;
}

/* -------------------------------------------------------------------------------------- signing */

struct secret {
    uint8_t id[MINISIGN_ID_BYTES];
    uint8_t seed[32];
    uint8_t public_key[32];
};

/* Algorithm, key derivation, checksum kind, salt, two limits; then number, seed, public key,
 * sum. */
static int secret_parse(struct secret *ret, const char *text, size_t n_text, char *why)
{
    enum {
        HEAD = 2 + 2 + 2 + 32 + 8 + 8
    };
    uint8_t bytes[HEAD + MINISIGN_ID_BYTES + 64 + 32];
    struct line lines[2];
    int r = 0;

    if (!split(text, n_text, lines, 2) || !starts_with(&lines[0], UNTRUSTED) ||
        !base64_decode(bytes, sizeof(bytes), lines[1].text, lines[1].n) ||
        memcmp(bytes, "Ed", 2) != 0) {
        r = refuse(why, "is no secret key of minisign");
    } else if (memcmp(bytes + 2, "\0\0", 2) != 0) {
        r = refuse(why, "has a password; sign with 'minisign -S -H -s KEY -m PACKAGE' instead");
    } else {
        memcpy(ret->id, bytes + HEAD, MINISIGN_ID_BYTES);
        memcpy(ret->seed, bytes + HEAD + MINISIGN_ID_BYTES, 32);
        memcpy(ret->public_key, bytes + HEAD + MINISIGN_ID_BYTES + 32, 32);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return r;
}

static int make_signature(EVP_PKEY *key, const uint8_t *bytes, size_t n_bytes,
                          uint8_t ret[SIGNATURE_BYTES])
{
    CLEANUP(context_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t n = SIGNATURE_BYTES;

    if (!context) {
        return -ENOMEM;
    }
    return EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestSign(context, ret, &n, bytes, n_bytes) == 1 && n == SIGNATURE_BYTES
               ? 0
               : -EIO;
}

/* The key, if its two halves belong together: else every signature would be wrong. */
static EVP_PKEY *load_secret(const struct secret *secret)
{
    CLEANUP(pkey_freep)
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->seed, sizeof(secret->seed));
    uint8_t public_key[32];
    size_t n = sizeof(public_key);

    if (!key || EVP_PKEY_get_raw_public_key(key, public_key, &n) != 1 ||
        memcmp(public_key, secret->public_key, sizeof(public_key)) != 0) {
        return NULL;
    }
    return TAKE_PTR(key);
}

static int write_signature(EVP_PKEY *key, const struct secret *secret, const uint8_t *hash,
                           const char *comment, char *ret, size_t n_ret)
{
    uint8_t first[2 + MINISIGN_ID_BYTES + SIGNATURE_BYTES] = "ED";
    uint8_t second[SIGNATURE_BYTES];
    uint8_t signed_bytes[SIGNATURE_BYTES + 256];
    char first_text[4 * ((sizeof(first) + 2) / 3) + 1];
    char second_text[4 * ((sizeof(second) + 2) / 3) + 1];
    uint8_t *signature = first + 2 + MINISIGN_ID_BYTES;
    size_t n_comment = strlen(comment);
    int r;

    if (n_comment > 256 || strchr(comment, '\n')) {
        return -EINVAL;
    }
    memcpy(first + 2, secret->id, MINISIGN_ID_BYTES);
    r = make_signature(key, hash, HASH_BYTES, signature);
    if (r < 0) {
        return r;
    }
    memcpy(signed_bytes, signature, SIGNATURE_BYTES);
    memcpy(signed_bytes + SIGNATURE_BYTES, comment, n_comment);
    r = make_signature(key, signed_bytes, SIGNATURE_BYTES + n_comment, second);
    if (r < 0) {
        return r;
    }
    base64_encode(first_text, first, sizeof(first));
    base64_encode(second_text, second, sizeof(second));
    r = snprintf(ret, n_ret, UNTRUSTED "signature of a package of pes\n%s\n" TRUSTED "%s\n%s\n",
                 first_text, comment, second_text);
    return r < 0 || (size_t)r >= n_ret ? -ENOSPC : 0;
}

int minisign_sign(const char *secret, size_t n_secret, const uint8_t *bytes, size_t n_bytes,
                  const char *comment, char *ret, size_t n_ret, char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
    uint8_t hash[HASH_BYTES];
    struct secret parsed;
    int r = secret_parse(&parsed, secret, n_secret, ret_why);

    if (r != 0) {
        return r;
    }
    key = load_secret(&parsed);
    OPENSSL_cleanse(parsed.seed, sizeof(parsed.seed));
    if (!key) {
        return refuse(ret_why, "is damaged: its secret and its public half do not belong together");
    }
    r = hash_bytes(bytes, n_bytes, hash);
    return r < 0 ? r : write_signature(key, &parsed, hash, comment, ret, n_ret);
}

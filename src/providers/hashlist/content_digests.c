/*
 * content_digests: SHA-256, SHA-1 and MD5 by libcrypto.
 *
 * All that are needed are fed piece by piece, so that the bytes come through the cache once and the
 * clock is looked at every quarter of a mebibyte, some hundred microseconds apart. The algorithms
 * are fetched when the provider loads: libcrypto may open its configuration then, and must not when
 * content is there.
 */
#include "providers/hashlist/content_digests.h"

#include <openssl/evp.h>

#define PIECE_BYTES ((size_t)256 << 10)

int content_digests_init(struct content_digests *digests, const bool wanted[LIST_N_ALGORITHMS])
{
    const EVP_MD *const methods[LIST_N_ALGORITHMS] = {
        [LIST_SHA256] = EVP_sha256(), [LIST_SHA1] = EVP_sha1(), [LIST_MD5] = EVP_md5()};

    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        if (!wanted[i]) {
            continue;
        }
        digests->contexts[i] = EVP_MD_CTX_new();
        if (!digests->contexts[i] || !EVP_DigestInit_ex(digests->contexts[i], methods[i], NULL)) {
            content_digests_fini(digests);
            return -1;
        }
    }
    return 0;
}

void content_digests_fini(struct content_digests *digests)
{
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        EVP_MD_CTX_free(digests->contexts[i]);
        digests->contexts[i] = NULL;
    }
}

static int begin(struct content_digests *digests)
{
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        if (digests->contexts[i] && !EVP_DigestInit_ex(digests->contexts[i], NULL, NULL)) {
            return -1;
        }
    }
    return 0;
}

static int update(struct content_digests *digests, const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        if (digests->contexts[i] && !EVP_DigestUpdate(digests->contexts[i], bytes, n_bytes)) {
            return -1;
        }
    }
    return 0;
}

static int end(struct content_digests *digests)
{
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        if (digests->contexts[i] &&
            !EVP_DigestFinal_ex(digests->contexts[i], digests->digests[i], NULL)) {
            return -1;
        }
    }
    return 0;
}

int content_digests_of(struct content_digests *digests, const void *bytes, size_t n_bytes)
{
    return begin(digests) < 0 || update(digests, bytes, n_bytes) < 0 ? -1 : end(digests);
}

int content_digests_scan(struct content_digests *digests, const struct pes_scan *scan,
                         size_t *ret_n_done)
{
    size_t n_bytes;
    const uint8_t *bytes = pes_scan_bytes(scan, &n_bytes);
    size_t n_done = 0;

    *ret_n_done = 0;
    if (begin(digests) < 0) {
        return -1;
    }
    while (n_done < n_bytes && pes_scan_time_left_us(scan) > 0) {
        size_t n = n_bytes - n_done < PIECE_BYTES ? n_bytes - n_done : PIECE_BYTES;

        if (update(digests, bytes + n_done, n) < 0) {
            return -1;
        }
        n_done += n;
    }
    *ret_n_done = n_done;
    return end(digests);
}

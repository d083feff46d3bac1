/* OpenSSL's SHA-256. Linked into this test only. */
#include <openssl/sha.h>

#include "peer_sha256.h"

bool peer_sha256(const void *bytes, size_t n_bytes, uint8_t ret_digest[32])
{
    return SHA256(bytes, n_bytes, ret_digest) != NULL;
}

/* No other SHA-256 on this system: the comparison is skipped, the published vectors are not. */
#include "peer_sha256.h"

bool peer_sha256(const void *bytes, size_t n_bytes, uint8_t ret_digest[32])
{
    return false;
}

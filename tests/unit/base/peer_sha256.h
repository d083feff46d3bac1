/* Somebody else's SHA-256, to compare with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns false when this build has none. */
bool peer_sha256(const void *bytes, size_t n_bytes, uint8_t ret_digest[32]);

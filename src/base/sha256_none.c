/*
 * SHA-256 on processor families for which we have no variant of our own.
 *
 * The portable code is used. A variant for another family is a file beside this one that defines
 * sha256_accelerated() and is picked in meson.build.
 */
#include "base/sha256.h"

sha256_blocks_fn sha256_accelerated(void)
{
    return NULL;
}

/* F4: files of minisign, read within their bounds; nothing is good under a key that nobody has. */
#include <stdlib.h>

#include "package/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct minisign_key parsed;
    /* The number of the corpus' signature, and a point of the curve whose secret is unknown. */
    struct minisign_key key = {.id = {1, 1, 1, 1, 1, 1, 1, 1}, .bytes = {1}};
    char why[PACKAGE_WHY_BYTES_MAX];
    size_t which;

    if (minisign_key_parse(&parsed, (const char *)bytes, n_bytes, why) < 0) {
        abort(); /* a text is good or bad, nothing else */
    }
    key.bytes[1] = 7;
    if (minisign_verify(&key, 1, (const uint8_t *)"package", 7, (const char *)bytes, n_bytes,
                        &which, why) == 0) {
        abort();
    }
    return 0;
}

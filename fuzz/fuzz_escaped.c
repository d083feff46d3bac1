/* A known text among escapes: found within bounds, and always where it really is. */
#include <stdlib.h>
#include <string.h>

#include "providers/eicar/escaped.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

/* The first bytes, up to 8, are the text that is looked for. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    size_t n_text = n_bytes > 0 ? 1 + bytes[0] % 8u : 0;
    const uint8_t *plain;
    size_t at = 0;
    size_t n;

    if (n_bytes < 1 + n_text) {
        return 0;
    }
    n = escaped_find(bytes + 1 + n_text, n_bytes - 1 - n_text, bytes + 1, n_text, &at);
    if (n > 0 && (at > n_bytes - 1 - n_text || n > n_bytes - 1 - n_text - at || n < n_text)) {
        abort();
    }
    plain = memmem(bytes + 1 + n_text, n_bytes - 1 - n_text, bytes + 1, n_text);
    if (plain && n == 0 && !memchr(bytes + 1, '\\', n_text) && !memchr(bytes + 1, '%', n_text) &&
        !memchr(bytes + 1, '&', n_text)) {
        abort(); /* those may be a part of an escape instead */
    }
    return 0;
}

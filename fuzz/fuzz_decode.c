/* What a command line decodes to: bounded, and never anything that a terminal would act on. */
#include <stdint.h>
#include <stdlib.h>

#include "providers/yara/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

/* The first byte says how, where the match ends, and how much room there is. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    uint8_t text[DECODE_BYTES_MAX];
    enum decode_form form;
    size_t n_room;
    size_t n;

    if (n_bytes == 0) {
        return 0;
    }
    form = bytes[0] % 2 ? DECODE_HEX : DECODE_BASE64;
    n_room = bytes[0] < 128 ? sizeof(text) : bytes[0] - 128u;
    n = decode_near(form, bytes + 1, n_bytes - 1, n_bytes * bytes[0] / 256, text, n_room);
    if (n > n_room) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] == 0x7f ||
            (text[i] < 0x20 && text[i] != '\t' && text[i] != '\n' && text[i] != '\r')) {
            abort();
        }
    }
    return 0;
}

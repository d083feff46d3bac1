/* Escaped text: terminated, printable UTF-8, cut only between pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static void check(const char *text, size_t n_text)
{
    if (strlen(text) != n_text) {
        abort();
    }
    for (size_t at = 0, n; at < n_text; at += n) {
        uint32_t code = 0;

        n = utf8_decode(text + at, n_text - at, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x202e) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    size_t n_room = n_bytes > 0 ? bytes[0] + 1u : 1;
    size_t n_whole = SAFE_TEXT_BYTES(n_bytes);
    char *whole = malloc(n_whole);
    char *cut = malloc(n_room);
    size_t n;

    if (!whole || !cut) {
        abort();
    }
    n = safe_text_quoted(whole, n_whole, bytes, n_bytes);
    check(whole, n);
    if (strchr(whole, '\'')) {
        abort();
    }
    if (n_bytes > 0 && whole[0] == '\0') {
        abort(); /* it did not fit, so the room that is promised to be enough is not */
    }
    n = safe_text_quoted(cut, n_room, bytes, n_bytes);
    check(cut, n);
    if (strncmp(cut, whole, n) != 0) {
        abort();
    }
    free(whole);
    free(cut);
    return 0;
}

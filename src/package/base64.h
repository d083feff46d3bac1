/* Base64 (RFC 4648), with padding, each text in its one spelling. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes exactly `n_bytes`; false when the text is not the one spelling of so many bytes. */
bool base64_decode(uint8_t *ret, size_t n_bytes, const char *text, size_t n_text);

/* Writes 4 * ((n_bytes + 2) / 3) characters and an end. */
void base64_encode(char *ret, const uint8_t *bytes, size_t n_bytes);

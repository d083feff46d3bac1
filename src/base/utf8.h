/* Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Decodes the first character of `text`. Returns its length in bytes, or 0 if none is there. */
size_t utf8_decode(const void *text, size_t n_text, uint32_t *ret_code);

/* Compressed bytes, uncompressed. */
#pragma once

#include "providers/command/text.h"

enum inflate_result {
    INFLATE_NOTHING = 0, /* not compressed in a way that is known here */
    INFLATE_WHOLE = 1,
    INFLATE_CUT = 2, /* more than fits into the text, or broken off */
};

/* Puts what gzip, zlib or bare deflate data come to; all of it stands for `span`. */
enum inflate_result inflate_bytes(const uint8_t *bytes, size_t n, struct span span,
                                  struct text *ret_text);

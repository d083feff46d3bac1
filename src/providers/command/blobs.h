/* Runs of text that stand for other bytes: base64, hexadecimal digits, lists of numbers. */
#pragma once

#include "providers/command/text.h"

enum blob_form {
    BLOB_NONE = 0,
    BLOB_BASE64 = 1,
    BLOB_HEX = 2,
    BLOB_NUMBERS = 3,
};

struct blob {
    enum blob_form form;
    size_t from; /* in the text that was searched */
    size_t to;
};

/* The next run at or after `at`. Returns whether there is one. */
bool blob_next(const struct text *text, size_t at, struct blob *ret_blob);

/* Puts the bytes that it stands for. */
void blob_decode(const struct text *text, const struct blob *blob, struct text *ret_text);

/* Whether bytes are text that a person could read, in UTF-8 or UTF-16. */
bool blob_is_readable(const uint8_t *bytes, size_t n);

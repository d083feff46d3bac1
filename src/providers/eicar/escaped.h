/* A known text among escapes, as web pages and programs write it. Pure: no allocation, no state. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Finds the first place where `bytes` come to `text` when escapes are undone, any of them at any
 * character: \\ \xHH \uHHHH \OOO %HH &#DD; &#xHH;. Returns how long it is there and in `ret_at`
 * where, or 0.
 */
size_t escaped_find(const uint8_t *bytes, size_t n_bytes, const uint8_t *text, size_t n_text,
                    size_t *ret_at);

/* The short code that a person reads out to a help desk: "7Q4K-2M". */
#pragma once

#include <stdint.h>

#define REFERENCE_BYTES 16

/*
 * Writes `value` in Crockford's base 32 (no I, L, O, U), at least six digits, with a hyphen after
 * the fourth and after the eighth. Values below 2^30 take the short form; every value is distinct.
 */
void reference_format(uint64_t value, char ret_text[REFERENCE_BYTES]);

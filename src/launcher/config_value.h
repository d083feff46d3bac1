/* Values of configuration keys: from text to numbers, with the remedy when they are wrong. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define CONFIG_VALUE_TEXT_BYTES_MAX 256

/* What keeps a value from being taken; the text tells the remedy. */
enum config_value_outcome {
    CONFIG_VALUE_E_BAD = 1,
};

/* A whole number in [min, max]. */
MUST_CHECK int config_value_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                                  char why[CONFIG_VALUE_TEXT_BYTES_MAX]);

/* "100 MiB": bytes; units B, KiB, MiB, GiB, TiB; a bare number is bytes. */
MUST_CHECK int config_value_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                                 char why[CONFIG_VALUE_TEXT_BYTES_MAX]);

/* "800 ms": milliseconds; units ms, s, min; a bare number is refused. */
MUST_CHECK int config_value_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                                     char why[CONFIG_VALUE_TEXT_BYTES_MAX]);

/* true, yes, on; false, no, off. */
MUST_CHECK int config_value_bool(const char *text, uint64_t *ret,
                                 char why[CONFIG_VALUE_TEXT_BYTES_MAX]);

/* The name of a provider: letters, digits, '.', '_' and '-', at most 32, first a letter or digit.
 */
bool config_value_is_name(const char *text);

/* How many single-character edits lie between two words; for guessing what was meant. */
size_t config_value_distance(const char *a, const char *b);

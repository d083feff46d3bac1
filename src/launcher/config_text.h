/* The text of a configuration file, checked and made ready for libconfuse. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "launcher/problems.h"

#define CONFIG_FILE_BYTES_MAX 65536

enum config_text_outcome {
    CONFIG_TEXT_E_BAD = 1, /* what is wrong stands in the problems */
};

/*
 * Reads a whole file; terminated, for the caller to free. With `is_strict` it must belong to root
 * or to us and be writable by nobody else. Returns 0, CONFIG_TEXT_E_BAD or -ENOMEM.
 */
MUST_CHECK int config_text_read(const char *file, int is_strict, struct problems *problems,
                                char **ret_text, size_t *ret_n_text);

/*
 * Refuses what libconfuse would take silently (bytes that are no text, variables, open comments,
 * strings and braces) and blanks comments, keeping every line where it is. Returns 0 or
 * CONFIG_TEXT_E_BAD.
 */
MUST_CHECK int config_text_prepare(const char *file, char *text, size_t n_text,
                                   struct problems *problems);

/* Blanks the statement that starts with `word` on `line`, of a text that was prepared. Returns 0,
 * or CONFIG_TEXT_E_BAD when there is none. */
MUST_CHECK int config_text_blank(char *text, size_t n_text, uint32_t line, const char *word);

/* Numbers and foreign text the way people read them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HUMAN_BYTES 48

/* "< 1 ms", "4.1 ms", "340 ms", "6.2 s", "3 min 12 s", "2 h 05 min", "6 d 02 h". */
const char *human_duration(char ret_text[static HUMAN_BYTES], double seconds);

/* As above; "-" for a negative number: too few to say. */
const char *human_quantile(char ret_text[static HUMAN_BYTES], double seconds);

/* "48,112" */
const char *human_count(char ret_text[static HUMAN_BYTES], uint64_t count);

/* "1.4 MiB" */
const char *human_size(char ret_text[static HUMAN_BYTES], uint64_t bytes);

/* Any bytes as text that is safe on a terminal; cut at 4 KiB. Return: heap, or NULL. */
char *human_text_dup(const char *text);

/* A registry name in words: "test_sample" becomes "test sample". */
const char *human_words(char ret_text[static HUMAN_BYTES], const char *name);

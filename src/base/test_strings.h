/* The strings that every product may be tried with: harmless by agreement. */
#pragma once

#include <stddef.h>

#define N_TEST_STRINGS        3
#define TEST_STRING_BYTES_MAX 80

/* Name of number `index`, static: "EICAR", "GTUBE" or "AMSI". */
const char *test_string_name(size_t index);

/* Writes number `index`, without an end. Returns its length. */
size_t test_string_write(size_t index, char ret_text[TEST_STRING_BYTES_MAX]);

/* What a provider is asked about while it is checked. The same bytes in every run. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clean_contents.h"

#define MUTATION_BYTES_MAX 8192

/*
 * Number `index` of an endless row of damaged copies of the clean contents: bits turned, ends cut
 * off, parts doubled, exchanged or blown up. Writes at most MUTATION_BYTES_MAX; returns the length.
 */
size_t content_mutate(uint64_t index, uint8_t ret_bytes[MUTATION_BYTES_MAX]);

/* Fills memory with bytes that look random. */
void content_noise(uint8_t *bytes, size_t n_bytes, uint64_t seed);

/* A small package and a signature of it, made on the spot with a key of the tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "package/minisign.h"

#define SAMPLE_BYTES_MAX 4096

struct sample {
    uint8_t bytes[SAMPLE_BYTES_MAX];
    size_t n_bytes;
    char signature[MINISIGN_FILE_BYTES_MAX];
    struct minisign_key key;
};

/* A package with this manifest (without lines about files) and two small files, not signed. */
void sample_build(struct sample *sample, const char *manifest);

/* The same, signed; its key is the one with this seed. */
void sample_make(struct sample *sample, const char *manifest, uint8_t seed);

/* A manifest that is good. */
extern const char sample_manifest[];

/* The layout of a package file: magic, manifest, files; docs/providers/packages.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "package/manifest.h"

#define CONTAINER_MAGIC       "pes-pkg1"
#define CONTAINER_MAGIC_BYTES 8
#define CONTAINER_HEAD_BYTES  12 /* magic, and the length of the manifest */
#define CONTAINER_BYTES_MAX   (256u << 20)

/*
 * Reads and checks a whole package, every file's SHA-256 included. Returns 0, or PACKAGE_E_BAD with
 * a text that names what is wrong and where.
 */
MUST_CHECK int container_parse(struct manifest *ret, const uint8_t *bytes, size_t n_bytes,
                               char ret_why[PACKAGE_WHY_BYTES_MAX]);

/* Writes the head of a package with a manifest of so many bytes. */
void container_write_head(uint8_t ret[CONTAINER_HEAD_BYTES], uint32_t n_manifest);

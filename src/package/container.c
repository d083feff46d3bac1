/*
 * A package file from end to end.
 *
 * A container of our own, since the usual ones leave room: tar has paddings, two spellings of each
 * number and headers that override each other, zip has its directory twice. Here each set of files
 * has exactly one file that holds it: eight bytes of magic, the manifest's length (little-endian,
 * four bytes), the manifest, then the files in the manifest's order with nothing between them and
 * nothing after. Where a file begins is the sum of the sizes before it, so any one can be read
 * alone.
 *
 * Nothing is allocated and nothing written; the caller has checked the signature before.
 */
#include "package/container.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"

static int refuse(char *why, const char *text)
{
    snprintf(why, PACKAGE_WHY_BYTES_MAX, "%s", text);
    return PACKAGE_E_BAD;
}

void container_write_head(uint8_t ret[CONTAINER_HEAD_BYTES], uint32_t n_manifest)
{
    memcpy(ret, CONTAINER_MAGIC, CONTAINER_MAGIC_BYTES);
    for (unsigned int i = 0; i < 4; i++) {
        ret[CONTAINER_MAGIC_BYTES + i] = (uint8_t)(n_manifest >> (8 * i));
    }
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static int check_files(struct manifest *manifest, const uint8_t *bytes, size_t n_bytes, size_t at,
                       char *why)
{
    for (size_t i = 0; i < manifest->n_files; i++) {
        struct manifest_file *file = &manifest->files[i];
        uint8_t digest[SHA256_DIGEST_BYTES];

        if (file->n_bytes > n_bytes - at) {
            snprintf(why, PACKAGE_WHY_BYTES_MAX, "the package ends inside its file '%s'",
                     file->name);
            return PACKAGE_E_BAD;
        }
        file->offset = at;
        sha256_digest(bytes + at, (size_t)file->n_bytes, digest);
        if (memcmp(digest, file->sha256, sizeof(digest)) != 0) {
            snprintf(why, PACKAGE_WHY_BYTES_MAX,
                     "its file '%s' is not the one that the manifest describes (SHA-256 differs)",
                     file->name);
            return PACKAGE_E_BAD;
        }
        at += (size_t)file->n_bytes;
    }
    return at == n_bytes ? 0
                         : refuse(why, "there are bytes after the last file that the manifest "
                                       "lists");
}

int container_parse(struct manifest *ret, const uint8_t *bytes, size_t n_bytes,
                    char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    uint32_t n_manifest;
    int r;

    if (n_bytes < CONTAINER_HEAD_BYTES) {
        return refuse(ret_why, "the file is too short to be a package");
    }
    if (n_bytes > CONTAINER_BYTES_MAX) {
        return refuse(ret_why, "the package is larger than 256 MiB");
    }
    if (memcmp(bytes, CONTAINER_MAGIC, CONTAINER_MAGIC_BYTES) != 0) {
        return refuse(ret_why, "the file is not a package of pes, or of a later format");
    }
    n_manifest = read_u32(bytes + CONTAINER_MAGIC_BYTES);
    if (n_manifest > MANIFEST_BYTES_MAX) {
        return refuse(ret_why, "the manifest is larger than 64 KiB");
    }
    if (n_manifest > n_bytes - CONTAINER_HEAD_BYTES) {
        return refuse(ret_why, "the package ends inside its manifest");
    }
    r = manifest_parse(ret, (const char *)bytes + CONTAINER_HEAD_BYTES, n_manifest, ret_why);
    if (r != 0) {
        return r;
    }
    return check_files(ret, bytes, n_bytes, CONTAINER_HEAD_BYTES + n_manifest, ret_why);
}

/*
 * Makes a package out of files, and a signature for a package.
 *
 * The publisher writes the manifest; the lines about files are added here. What was made is parsed
 * again, by the parser that judges it later: nobody ships a package that nobody can install. The
 * same files and the same manifest give the same bytes.
 */
#include "package/build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "package/container.h"
#include "package/minisign.h"
#include "package/store_file.h"
#include "package/tell.h"

struct text {
    char bytes[MANIFEST_BYTES_MAX];
    size_t n;
};

/* One read file. */
struct part {
    uint8_t *bytes;
    size_t n_bytes;
};

static void part_fini(struct part *part)
{
    freep(&part->bytes);
}

static int read_part(struct part *ret, const char *path, size_t n_most)
{
    int r = store_file_read(path, n_most, &ret->bytes, &ret->n_bytes);

    if (r < 0) {
        tell("'%s' cannot be read: %s", path,
             r == -EFBIG ? "it is too large for a package" : strerror(-r));
    }
    return r;
}

/* Adds `file NAME BYTES SHA256`. */
static int add_line(struct text *manifest, const char *path, const struct part *part)
{
    const char *slash = strrchr(path, '/');
    char digest_text[2 * SHA256_DIGEST_BYTES + 1];
    uint8_t digest[SHA256_DIGEST_BYTES];
    size_t left = sizeof(manifest->bytes) - manifest->n;
    int n;

    sha256_digest(part->bytes, part->n_bytes, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        snprintf(digest_text + 2 * i, 3, "%02x", digest[i]);
    }
    n = snprintf(manifest->bytes + manifest->n, left, "file %s %zu %s\n", slash ? slash + 1 : path,
                 part->n_bytes, digest_text);
    if (n < 0 || (size_t)n >= left) {
        return -EFBIG;
    }
    manifest->n += (size_t)n;
    return 0;
}

static int read_manifest(struct text *manifest, const char *path)
{
    CLEANUP(part_fini) struct part part = {0};
    int r = read_part(&part, path, sizeof(manifest->bytes));

    if (r == 0) {
        memcpy(manifest->bytes, part.bytes, part.n_bytes);
        manifest->n = part.n_bytes;
    }
    return r;
}

static int assemble(const struct text *manifest, const struct part *parts, size_t n_parts,
                    const char *output)
{
    CLEANUP(freep) struct manifest *parsed = malloc(sizeof(*parsed));
    CLEANUP(freep) uint8_t *bytes = NULL;
    char why[PACKAGE_WHY_BYTES_MAX];
    size_t n = CONTAINER_HEAD_BYTES + manifest->n;
    size_t at = n;
    int r;

    for (size_t i = 0; i < n_parts; i++) {
        n += parts[i].n_bytes;
    }
    bytes = malloc(n);
    if (!bytes || !parsed) {
        tell("no memory for the package");
        return EXIT_NOT_DONE;
    }
    container_write_head(bytes, (uint32_t)manifest->n);
    memcpy(bytes + CONTAINER_HEAD_BYTES, manifest->bytes, manifest->n);
    for (size_t i = 0; i < n_parts; i++) {
        memcpy(bytes + at, parts[i].bytes, parts[i].n_bytes);
        at += parts[i].n_bytes;
    }
    if (container_parse(parsed, bytes, n, why) != 0) {
        tell("this makes no package: %s", why);
        return EXIT_REFUSED;
    }
    r = store_file_write(output, bytes, n, 0644);
    if (r < 0) {
        tell("'%s' cannot be written: %s", output, strerror(-r));
    }
    return r < 0 ? EXIT_NOT_DONE : EXIT_DONE;
}

int build_package(const char *manifest, const char *output, char *const *files, size_t n_files)
{
    static struct text text;
    struct part parts[MANIFEST_FILES_MAX] = {{0}};
    int r = read_manifest(&text, manifest);

    for (size_t i = 0; i < n_files && r == 0; i++) {
        r = read_part(&parts[i], files[i], CONTAINER_BYTES_MAX);
        if (r == 0 && add_line(&text, files[i], &parts[i]) < 0) {
            tell("the manifest is larger than 64 KiB");
            r = -EFBIG;
        }
    }
    r = r < 0 ? EXIT_NOT_DONE : assemble(&text, parts, n_files, output);
    for (size_t i = 0; i < n_files; i++) {
        part_fini(&parts[i]);
    }
    return r;
}

static int sign(const char *key, const struct part *secret, const char *package)
{
    CLEANUP(part_fini) struct part part = {0};
    char signature[MINISIGN_FILE_BYTES_MAX];
    char why[PACKAGE_WHY_BYTES_MAX];
    char comment[192];
    char path[PATH_MAX];
    const char *slash = strrchr(package, '/');
    int r = read_part(&part, package, CONTAINER_BYTES_MAX);

    if (r < 0) {
        return EXIT_NOT_DONE;
    }
    if (snprintf(path, sizeof(path), "%s.minisig", package) >= (int)sizeof(path)) {
        tell("the package's path is too long");
        return EXIT_NOT_DONE;
    }
    snprintf(comment, sizeof(comment), "file:%.128s\thashed", slash ? slash + 1 : package);
    r = minisign_sign((const char *)secret->bytes, secret->n_bytes, part.bytes, part.n_bytes,
                      comment, signature, sizeof(signature), why);
    if (r == 0) {
        r = store_file_write(path, signature, strlen(signature), 0644);
    }
    if (r > 0) {
        tell("'%s' %s", key, why);
    } else if (r < 0) {
        tell("'%s' cannot be written: %s", path, strerror(-r));
    }
    return r == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}

int build_signature(const char *key, const char *package)
{
    CLEANUP(part_fini) struct part secret = {0};
    int r = read_part(&secret, key, MINISIGN_FILE_BYTES_MAX);

    if (r < 0) {
        return EXIT_NOT_DONE;
    }
    r = sign(key, &secret, package);
    OPENSSL_cleanse(secret.bytes, secret.n_bytes);
    return r;
}

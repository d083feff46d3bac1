/*
 * What a generation was started from, in one number: the part of its configuration that reaches its
 * processes, and what stat(2) says of its module and of every file of its definitions.
 *
 * No file is opened: definitions can have gigabytes, and a launcher reads none of it. Device,
 * inode, size, and both times in nanoseconds tell a file that was written, replaced or renamed from
 * one that was not, since nobody can set the time of a change (ctime). Links in a folder count as
 * what they are and as what they lead to, so that a link that leads elsewhere is a change. Whatever
 * cannot be looked at in full (it vanished, or there is too much) has no fingerprint, and nothing
 * is like it: a provider is rather started once too often.
 */
#include "launcher/fingerprint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/package.h"

#define DEPTH_MAX   8
#define ENTRIES_MAX 20000

struct walk {
    size_t n_entries;
    uint8_t sum[SHA256_DIGEST_BYTES]; /* of entries, in whatever order they come */
};

static void add_number(struct sha256 *hash, uint64_t number)
{
    sha256_update(hash, &number, sizeof(number));
}

/* With its end, so that no two rows of texts are alike. */
static void add_text(struct sha256 *hash, const char *text)
{
    add_number(hash, text ? 1 : 0);
    sha256_update(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void add_stat(struct sha256 *hash, const struct stat *st)
{
    add_number(hash, st->st_dev);
    add_number(hash, st->st_ino);
    add_number(hash, st->st_mode);
    add_number(hash, st->st_uid);
    add_number(hash, (uint64_t)st->st_size);
    add_number(hash, (uint64_t)st->st_mtim.tv_sec);
    add_number(hash, (uint64_t)st->st_mtim.tv_nsec);
    add_number(hash, (uint64_t)st->st_ctim.tv_sec);
    add_number(hash, (uint64_t)st->st_ctim.tv_nsec);
}

static int walk_entry(struct walk *walk, int at, const char *name, int depth);

static int walk_folder(struct walk *walk, int at, const char *name, int depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int r = folder ? 0 : -errno;

    if (!folder) {
        closep(&fd);
        return r;
    }
    for (errno = 0; r == 0 && (entry = readdir(folder)); errno = 0) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            r = walk_entry(walk, fd, entry->d_name, depth);
        }
    }
    r = r == 0 ? -errno : r;
    closedir(folder);
    return r;
}

static int walk_entry(struct walk *walk, int at, const char *name, int depth)
{
    uint8_t digest[SHA256_DIGEST_BYTES];
    struct sha256 hash;
    struct stat link;
    struct stat st;

    if (depth > DEPTH_MAX || walk->n_entries++ == ENTRIES_MAX) {
        return -E2BIG;
    }
    if (fstatat(at, name, &link, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(at, name, &st, 0) < 0) {
        return -errno;
    }
    sha256_init(&hash);
    add_text(&hash, name);
    add_number(&hash, (uint64_t)depth);
    add_stat(&hash, &link);
    add_stat(&hash, &st);
    sha256_final(&hash, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        walk->sum[i] ^= digest[i]; /* inodes are in it: no two entries are alike */
    }
    return S_ISDIR(st.st_mode) ? walk_folder(walk, at, name, depth + 1) : 0;
}

/* Paths that are separated by ':'. */
static int add_paths(struct sha256 *hash, const char *paths)
{
    CLEANUP(freep) char *copy = paths ? strdup(paths) : NULL;
    char *rest = copy;
    int r = paths && !copy ? -ENOMEM : 0;

    while (r == 0 && rest) {
        struct walk walk = {0};

        r = walk_entry(&walk, AT_FDCWD, strsep(&rest, ":"), 0);
        sha256_update(hash, walk.sum, sizeof(walk.sum));
    }
    return r;
}

/* One that may be missing, and what is below it. */
static int add_optional(struct sha256 *hash, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0 && errno == ENOENT) {
        add_number(hash, 0);
        return 0;
    }
    return add_paths(hash, path);
}

/* What decides whether a package may be started. A key that was added counts as a change, too. */
static int add_trust(struct sha256 *hash, const char *module, const char *config_folder)
{
    char path[PATH_MAX];
    int r = 0;

    if (!package_is_named(module)) {
        return 0;
    }
    if (snprintf(path, sizeof(path), "%s.minisig", module) >= (int)sizeof(path)) {
        return -ENAMETOOLONG;
    }
    r = add_optional(hash, path);
    if (r == 0 && config_folder && paths_join(path, config_folder, "keys.d") == 0) {
        r = add_optional(hash, path);
    }
    if (r == 0 && config_folder && paths_join(path, config_folder, "revoked") == 0) {
        r = add_optional(hash, path);
    }
    return r;
}

struct fingerprint fingerprint_take(const struct config_provider *config, const char *config_folder)
{
    struct fingerprint fingerprint = {0};
    struct sha256 hash;

    sha256_init(&hash);
    add_text(&hash, config->module);
    add_text(&hash, config->definitions);
    add_number(&hash, config->options.n);
    for (size_t i = 0; i < config->options.n; i++) {
        add_text(&hash, config->options.items[i]);
    }
    add_number(&hash, config->n_workers);
    add_number(&hash, config->memory_mib);
    add_number(&hash, config->scratch_mib);
    if (add_paths(&hash, config->module) == 0 && add_paths(&hash, config->definitions) == 0 &&
        add_trust(&hash, config->module, config_folder) == 0) {
        sha256_final(&hash, fingerprint.digest);
        fingerprint.is_known = true;
    }
    return fingerprint;
}

bool fingerprint_is_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return a->is_known && b->is_known && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/*
 * From a folder that somebody else writes to a version that nobody does.
 *
 * The source belongs to an updater, which speaks with the network and is not trusted: it may
 * change while it is read, and hold links to what only we may read. So everything is opened
 * relative to one descriptor and without following links; only regular files with one name that
 * belong to whoever owns the folder (or to us) are taken; how many, and how much, is limited. What
 * is digested is what was copied. Names that begin with a dot are an updater's own business, and
 * folders have no place in it.
 *
 * The manifest beside a version has a line "SHA-256 SIZE NAME" per file, by name; its own SHA-256
 * is the digest of the version.
 */
#include "definitions/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "definitions/tell.h"

#define NAME_BYTES 255
#define LINE_BYTES (2 * SHA256_DIGEST_BYTES + 24 + NAME_BYTES)
#define COPY_BYTES (256 * 1024)
#define NEW_FOLDER ".new"

struct copy {
    const char *source; /* for messages */
    int from;
    int to;
    uid_t owner;
    char (*lines)[LINE_BYTES]; /* of the manifest */
    struct import *import;
};

static void hex(const uint8_t digest[SHA256_DIGEST_BYTES], char ret[2 * SHA256_DIGEST_BYTES + 1])
{
    for (size_t i = 0; i < SHA256_DIGEST_BYTES; i++) {
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
    }
}

static int refuse(const struct copy *copy, const char *name, const char *why, int error)
{
    tell("'%s/%s' %s; nothing was taken", copy->source, name, why);
    return error;
}

static bool name_is_plain(const char *name)
{
    for (; *name; name++) {
        if ((unsigned char)*name < ' ' || *name == 0x7f) {
            return false;
        }
    }
    return true;
}

static int copy_bytes(struct copy *copy, int from, int to, uint64_t *ret_n, struct sha256 *hash)
{
    static uint8_t bytes[COPY_BYTES];
    ssize_t n;

    *ret_n = 0;
    while ((n = read(from, bytes, sizeof(bytes))) > 0) {
        sha256_update(hash, bytes, (size_t)n);
        *ret_n += (uint64_t)n;
        copy->import->n_bytes += (uint64_t)n;
        if (copy->import->n_bytes > IMPORT_BYTES_MAX) {
            return -EFBIG;
        }
        for (ssize_t done = 0; done < n;) {
            ssize_t m = write(to, bytes + done, (size_t)(n - done));

            if (m < 0) {
                return -errno;
            }
            done += m;
        }
    }
    return n < 0 || fchmod(to, 0644) < 0 || fsync(to) < 0 ? -errno : 0;
}

static int copy_file(struct copy *copy, const char *name)
{
    CLEANUP(closep) int from = -1;
    CLEANUP(closep) int to = -1;
    uint8_t digest[SHA256_DIGEST_BYTES];
    char text[2 * SHA256_DIGEST_BYTES + 1];
    struct sha256 hash;
    struct stat st;
    uint64_t n;
    int r;

    if (!name_is_plain(name)) {
        return refuse(copy, name, "has a control character in its name", -EINVAL);
    }
    if (copy->import->n_files == IMPORT_FILES_MAX) {
        return refuse(copy, name, "is one file too many: 4096 may be in one version", -EMFILE);
    }
    from = openat(copy->from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (from < 0 || fstat(from, &st) < 0) {
        return refuse(copy, name, errno == ELOOP ? "is a symbolic link" : strerror(errno), -errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return refuse(copy, name, "is not a regular file", -EINVAL);
    }
    if (st.st_nlink != 1 || (st.st_uid != copy->owner && st.st_uid != geteuid())) {
        return refuse(copy, name, "has more than one name, or is somebody else's", -EPERM);
    }
    to = openat(copy->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) {
        return refuse(copy, name, strerror(errno), -errno);
    }
    sha256_init(&hash);
    r = copy_bytes(copy, from, to, &n, &hash);
    if (r < 0) {
        return refuse(copy, name,
                      r == -EFBIG ? "is too much: 8 GiB may be in one version" : strerror(-r), r);
    }
    sha256_final(&hash, digest);
    hex(digest, text);
    snprintf(copy->lines[copy->import->n_files++], LINE_BYTES, "%s %llu %.*s\n", text,
             (unsigned long long)n, NAME_BYTES, name);
    return 0;
}

static int copy_folder(struct copy *copy)
{
    int fd = openat(copy->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int r = 0;

    if (!folder) {
        closep(&fd);
        return refuse(copy, "", strerror(errno), -errno);
    }
    if (faccessat(fd, ".incomplete", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        closedir(folder);
        return refuse(copy, ".incomplete",
                      "is there: what was fetched is in part of one time and in part of another; "
                      "have it fetched again",
                      -EAGAIN);
    }
    while (r == 0 && (entry = readdir(folder))) {
        r = entry->d_name[0] == '.' ? 0 : copy_file(copy, entry->d_name);
    }
    closedir(folder);
    if (r == 0 && copy->import->n_files == 0) {
        tell("there is nothing in '%s': fetch definitions into it, or name a place with --from",
             copy->source);
        return -ENODATA;
    }
    return r;
}

/* A single file is copied out of the folder it is in. */
static int copy_source(struct copy *copy)
{
    CLEANUP(closep) int fd = open(copy->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    CLEANUP(freep) char *path = strdup(copy->source);
    CLEANUP(freep) char *path_again = strdup(copy->source);
    struct stat st;
    int r;

    if (!path || !path_again) {
        return -ENOMEM;
    }
    if (fd < 0 || fstat(fd, &st) < 0) {
        tell("'%s' cannot be read: %s", copy->source, strerror(errno));
        return -errno;
    }
    copy->owner = st.st_uid;
    if (S_ISDIR(st.st_mode)) {
        copy->from = fd;
        return copy_folder(copy);
    }
    copy->source = dirname(path);
    copy->from = open(copy->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy->from < 0) {
        return refuse(copy, "", strerror(errno), -errno);
    }
    r = copy_file(copy, basename(path_again));
    closep(&copy->from);
    return r;
}

static const char *name_of_line(const char *line)
{
    return strchr(strchr(line, ' ') + 1, ' ') + 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of_line(a), name_of_line(b));
}

/* Writes the manifest, and from it names the version. */
static int finish(const struct store *store, struct copy *copy)
{
    struct import *import = copy->import;
    CLEANUP(closep) int fd = -1;
    uint8_t digest[SHA256_DIGEST_BYTES];
    char manifest[STORE_VERSION_BYTES + 16];
    time_t now = time(NULL);
    struct sha256 hash;
    struct tm tm;
    size_t n;

    qsort(copy->lines, import->n_files, LINE_BYTES, by_name);
    sha256_init(&hash);
    fd = openat(store->versions, NEW_FOLDER ".manifest", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                0644);
    for (size_t i = 0; i < import->n_files; i++) {
        n = strlen(copy->lines[i]);
        sha256_update(&hash, copy->lines[i], n);
        if (fd < 0 || write(fd, copy->lines[i], n) != (ssize_t)n) {
            return fd < 0 ? -errno : -ENOSPC;
        }
    }
    sha256_final(&hash, digest);
    hex(digest, import->digest);
    gmtime_r(&now, &tm);
    n = strftime(import->version, sizeof(import->version), "%Y%m%dT%H%M%SZ", &tm);
    n += (size_t)snprintf(import->version + n, sizeof(import->version) - n, "-%.12s",
                          import->digest);
    for (int i = 2; faccessat(store->versions, import->version, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
         i++) {
        snprintf(import->version + n, sizeof(import->version) - n, "-%d", i);
    }
    snprintf(manifest, sizeof(manifest), "%s.manifest", import->version);
    if (fsync(fd) < 0 || fsync(copy->to) < 0 ||
        renameat(store->versions, NEW_FOLDER ".manifest", store->versions, manifest) < 0 ||
        renameat(store->versions, NEW_FOLDER, store->versions, import->version) < 0 ||
        fsync(store->versions) < 0) {
        return -errno;
    }
    return 0;
}

int import_run(struct import *ret, const struct store *store, const char *source)
{
    CLEANUP(freep) char(*lines)[LINE_BYTES] = calloc(IMPORT_FILES_MAX, LINE_BYTES);
    CLEANUP(closep) int to = -1;
    struct copy copy = {.source = source, .lines = lines, .import = ret};
    int r;

    *ret = (struct import){0};
    store_version_remove(store, NEW_FOLDER); /* of one that did not come to its end */
    if (!lines) {
        return -ENOMEM;
    }
    if (mkdirat(store->versions, NEW_FOLDER, 0755) < 0 ||
        fchmodat(store->versions, NEW_FOLDER, 0755, 0) < 0) {
        tell("'%s/versions' cannot be written: %s", store->path, strerror(errno));
        return -errno;
    }
    to = openat(store->versions, NEW_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    copy.to = to;
    r = to < 0 ? -errno : copy_source(&copy);
    if (r == 0) {
        r = finish(store, &copy);
        if (r < 0) {
            tell("'%s/versions' cannot be written: %s", store->path, strerror(-r));
        }
    }
    if (r < 0) {
        store_version_remove(store, NEW_FOLDER);
    }
    return r;
}

void import_digest(const struct store *store, const char *version,
                   char ret_digest[2 * SHA256_DIGEST_BYTES + 1])
{
    CLEANUP(closep) int fd = -1;
    char manifest[STORE_VERSION_BYTES + 16];
    uint8_t digest[SHA256_DIGEST_BYTES];
    uint8_t bytes[4096];
    struct sha256 hash;
    ssize_t n;

    ret_digest[0] = '\0';
    snprintf(manifest, sizeof(manifest), "%s.manifest", version);
    fd = openat(store->versions, manifest, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (version[0] == '\0' || fd < 0) {
        return;
    }
    sha256_init(&hash);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
        sha256_update(&hash, bytes, (size_t)n);
    }
    sha256_final(&hash, digest);
    hex(digest, ret_digest);
}

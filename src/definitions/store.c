/*
 * Where definitions are kept: ROOT/NAME, with
 *
 *   staging/                 what an updater fetched; it may belong to somebody else
 *   versions/TIME-DIGEST/    the files of one version, never changed any more
 *   versions/TIME-DIGEST.manifest
 *   versions/TIME-DIGEST.accepted   it may find less than the one before (launcher/acceptance.c)
 *   current, previous        links to versions; providers read `current`
 *   pending                  an update under way: which version was current before it
 *   outcome, held            what the last command did; a digest that is not to be taken again
 *
 * A link or a small file is replaced by renaming another one over it, and flushed: after a crash
 * there is the one before or the one after. Only one program changes a store at a time.
 */
#include "definitions/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "definitions/tell.h"

#define VERSIONS_MAX    256
#define VERSIONS_PREFIX "versions/"
#define MANIFEST_SUFFIX ".manifest"
#define ACCEPTED_SUFFIX ".accepted"

/* Of a version, with the longer suffix. */
#define BESIDE_BYTES (STORE_VERSION_BYTES + sizeof(MANIFEST_SUFFIX))

bool store_name_is_good(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return n > 0 && n <= STORE_NAME_BYTES && name[n] == '\0';
}

/* Opens a folder below `at`, making it if wanted. */
static int open_folder(int at, const char *path, bool will_make)
{
    int fd;

    if (will_make && mkdirat(at, path, 0755) < 0 && errno != EEXIST) {
        return -errno;
    }
    fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

/* Makes the folder above ROOT, too: a user's first use. */
static int make_root(const char *root)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", root);
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST) {
            return -errno;
        }
        *at = '/';
    }
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Nobody else may be able to put anything in: a provider is given what stands here. */
static int check_owner(const struct store *store)
{
    struct stat st;

    if (fstat(store->folder, &st) < 0) {
        return -errno;
    }
    if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & (S_IWGRP | S_IWOTH)) {
        tell("'%s' belongs to somebody else, or others may write to it; chown it to yourself and "
             "chmod go-w it",
             store->path);
        return -EPERM;
    }
    return 0;
}

static int take_lock(struct store *store)
{
    CLEANUP(closep)
    int fd = openat(store->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return -errno;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        tell("another 'pes definitions' changes '%s' at the moment; try again when it has ended",
             store->path);
        return -EBUSY;
    }
    store->lock = TAKE_FD(fd);
    return 0;
}

int store_open(struct store *store, const char *root, const char *name, bool will_change)
{
    int n = snprintf(store->path, sizeof(store->path), "%s/%s", root, name);
    int r = n < 0 || (size_t)n >= sizeof(store->path) ? -ENAMETOOLONG : 0;

    snprintf(store->name, sizeof(store->name), "%s", name);
    if (r == 0 && will_change) {
        r = make_root(root);
    }
    if (r == 0) {
        store->folder = r = open_folder(AT_FDCWD, store->path, will_change);
    }
    if (r >= 0) {
        store->versions = r = open_folder(store->folder, "versions", will_change);
    }
    if (r < 0) {
        if (will_change) {
            tell("'%s' cannot be used: %s", store->path, strerror(-r));
        }
        return r;
    }
    r = check_owner(store);
    return r == 0 && will_change ? take_lock(store) : r;
}

void store_fini(struct store *store)
{
    closep(&store->folder);
    closep(&store->versions);
    closep(&store->lock);
    *store = (struct store)STORE_INIT;
}

/* ---------------------------------------------------------------------------------------- links */

void store_link_get(const struct store *store, const char *link,
                    char ret_version[STORE_VERSION_BYTES])
{
    char target[STORE_VERSION_BYTES + sizeof(VERSIONS_PREFIX) - 1];
    ssize_t n = readlinkat(store->folder, link, target, sizeof(target) - 1);
    const char *version = target + strlen(VERSIONS_PREFIX);
    struct stat st;

    ret_version[0] = '\0';
    if (n <= 0) {
        return;
    }
    target[n] = '\0';
    if (strncmp(target, VERSIONS_PREFIX, strlen(VERSIONS_PREFIX)) == 0 && !strchr(version, '/') &&
        fstatat(store->versions, version, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
        snprintf(ret_version, STORE_VERSION_BYTES, "%s", version);
    }
}

int store_link_set(const struct store *store, const char *link, const char *version)
{
    char target[STORE_VERSION_BYTES + sizeof(VERSIONS_PREFIX)];

    snprintf(target, sizeof(target), VERSIONS_PREFIX "%s", version);
    if (version[0] == '\0') {
        if (unlinkat(store->folder, link, 0) < 0 && errno != ENOENT) {
            return -errno;
        }
    } else {
        (void)unlinkat(store->folder, ".link", 0);
        if (symlinkat(target, store->folder, ".link") < 0 ||
            renameat(store->folder, ".link", store->folder, link) < 0) {
            return -errno;
        }
    }
    return fsync(store->folder) < 0 ? -errno : 0;
}

/* ---------------------------------------------------------------------------------- small files */

void store_text_get(const struct store *store, const char *file, char ret_text[STORE_TEXT_BYTES])
{
    CLEANUP(closep) int fd = openat(store->folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? 0 : read(fd, ret_text, STORE_TEXT_BYTES - 1);

    ret_text[n > 0 ? n : 0] = '\0';
}

/* Replaces PLACE/file, where `place` is the store's folder or one in it. */
static int set_text(const struct store *store, int place, const char *file, const char *text)
{
    CLEANUP(closep) int fd = -1;
    size_t n = strlen(text);

    (void)unlinkat(store->folder, ".text", 0);
    fd = openat(store->folder, ".text", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0) {
        return -errno;
    }
    if (write(fd, text, n) != (ssize_t)n) {
        return -ENOSPC;
    }
    if (fsync(fd) < 0 || renameat(store->folder, ".text", place, file) < 0 || fsync(place) < 0) {
        return -errno;
    }
    return 0;
}

int store_text_set(const struct store *store, const char *file, const char *text)
{
    return set_text(store, store->folder, file, text);
}

void store_text_value(const char *text, const char *key, char *ret_value, size_t n_value)
{
    size_t n_key = strlen(key);

    ret_value[0] = '\0';
    while (*text) {
        const char *end = strchrnul(text, '\n');

        if (strncmp(text, key, n_key) == 0 && text[n_key] == ' ') {
            snprintf(ret_value, n_value, "%.*s", (int)(end - text) - (int)n_key - 1,
                     text + n_key + 1);
            return;
        }
        text = *end ? end + 1 : end;
    }
}

/* ------------------------------------------------------------------------------------- versions */

bool store_accepted_get(const struct store *store, const char *version)
{
    char mark[BESIDE_BYTES];

    snprintf(mark, sizeof(mark), "%s" ACCEPTED_SUFFIX, version);
    return faccessat(store->versions, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_accepted_set(const struct store *store, const char *version, const char *text)
{
    char mark[BESIDE_BYTES];

    snprintf(mark, sizeof(mark), "%s" ACCEPTED_SUFFIX, version);
    if (text) {
        return set_text(store, store->versions, mark, text);
    }
    return unlinkat(store->versions, mark, 0) < 0 && errno != ENOENT ? -errno : 0;
}

void store_version_remove(const struct store *store, const char *version)
{
    int fd = openat(store->versions, version, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    char beside[BESIDE_BYTES];
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        (void)unlinkat(fd, entry->d_name, 0); /* flat: there is nothing but files in it */
    }
    if (folder) {
        closedir(folder);
    } else {
        closep(&fd);
    }
    snprintf(beside, sizeof(beside), "%s" MANIFEST_SUFFIX, version);
    (void)unlinkat(store->versions, beside, 0);
    snprintf(beside, sizeof(beside), "%s" ACCEPTED_SUFFIX, version);
    (void)unlinkat(store->versions, beside, 0);
    (void)unlinkat(store->versions, version, AT_REMOVEDIR);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(b, a); /* they begin with the time */
}

void store_prune(const struct store *store)
{
    static char names[VERSIONS_MAX][STORE_VERSION_BYTES];
    char current[STORE_VERSION_BYTES];
    char previous[STORE_VERSION_BYTES];
    int fd = openat(store->versions, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    size_t n_kept;
    size_t n = 0;

    if (!folder) {
        closep(&fd);
        return;
    }
    while (n < VERSIONS_MAX && (entry = readdir(folder))) {
        /* What is beside a version has its name and a '.'. */
        if (strlen(entry->d_name) < STORE_VERSION_BYTES && !strchr(entry->d_name, '.')) {
            snprintf(names[n++], STORE_VERSION_BYTES, "%s", entry->d_name);
        }
    }
    closedir(folder);
    qsort(names, n, sizeof(names[0]), newest_first);
    store_link_get(store, "current", current);
    store_link_get(store, "previous", previous);
    n_kept = (current[0] != '\0') + (previous[0] != '\0' && strcmp(previous, current) != 0);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], current) != 0 && strcmp(names[i], previous) != 0 &&
            n_kept++ >= STORE_KEEP) {
            store_version_remove(store, names[i]);
        }
    }
}

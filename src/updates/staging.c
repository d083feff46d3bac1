/*
 * Fills a staging folder whole or not at all.
 *
 *   .work/        what is being fetched; empty between runs
 *   .etag.NAME    what the server called the file of that name that is here
 *   .incomplete   files are being moved into place: `pes definitions update` takes nothing now
 *   .fetched      its time is when the source was last found to have just this
 *   .lock         held by a run
 *
 * Nothing is moved before everything is fetched. A run that is cut short between the first and the
 * last move leaves `.incomplete`; the next one then fetches all of it again.
 */
#include "updates/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "definitions/tell.h"

#define WORK       ".work"
#define INCOMPLETE ".incomplete"
#define FETCHED    ".fetched"
#define LOCK       ".lock"

static int fail(const struct staging *staging, const char *what, int error)
{
    tell("'%s' %s: %s", staging->path, what, strerror(-error));
    return error;
}

/* Calls `visit` for each name in a folder. Returns 0 or the first error. */
static int for_each(const struct staging *staging, int at,
                    int (*visit)(const struct staging *staging, int at, const char *name))
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int r = folder ? 0 : -errno;

    if (!folder) {
        closep(&fd);
        return r;
    }
    while (r == 0 && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            r = visit(staging, at, entry->d_name);
        }
    }
    closedir(folder);
    return r;
}

static int remove_any(const struct staging *staging, int at, const char *name)
{
    return unlinkat(at, name, 0) < 0 ? -errno : 0;
}

static int check_owner(const struct staging *staging)
{
    struct stat st;

    if (fstat(staging->folder, &st) < 0) {
        return fail(staging, "cannot be looked at", -errno);
    }
    if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)) {
        tell("'%s' is not yours alone: let it belong to the user who fetches (uid %u), and chmod "
             "go-w it",
             staging->path, geteuid());
        return -EPERM;
    }
    return 0;
}

static int take_lock(struct staging *staging)
{
    CLEANUP(closep)
    int fd = openat(staging->folder, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return fail(staging, "cannot be written", -errno);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        tell("'%s' is being filled by another run; wait for its end", staging->path);
        return -EBUSY;
    }
    staging->lock = TAKE_FD(fd);
    return 0;
}

int staging_open(struct staging *staging, const char *root, const char *name)
{
    int n = snprintf(staging->path, sizeof(staging->path), "%s/%s/staging", root, name);
    int r;

    if (n < 0 || (size_t)n >= sizeof(staging->path)) {
        return fail(staging, "is too long", -ENAMETOOLONG);
    }
    staging->wanted = calloc(STAGING_FILES_MAX, STAGING_NAME_BYTES);
    if (!staging->wanted) {
        return -ENOMEM;
    }
    staging->folder = open(staging->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (staging->folder < 0) {
        return fail(staging, "cannot be opened; make it for the user who fetches", -errno);
    }
    r = check_owner(staging);
    r = r == 0 ? take_lock(staging) : r;
    if (r < 0) {
        return r;
    }
    if (mkdirat(staging->folder, WORK, 0700) < 0 && errno != EEXIST) {
        return fail(staging, "cannot be written", -errno);
    }
    staging->work = openat(staging->folder, WORK, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    r = staging->work < 0 ? -errno : for_each(staging, staging->work, remove_any);
    if (r < 0) {
        return fail(staging, "has a .work that cannot be emptied", r);
    }
    staging->was_incomplete =
        faccessat(staging->folder, INCOMPLETE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    return 0;
}

void staging_fini(struct staging *staging)
{
    if (staging->work >= 0) {
        (void)for_each(staging, staging->work, remove_any); /* else the next run does */
    }
    closep(&staging->folder);
    closep(&staging->work);
    closep(&staging->lock);
    free(staging->wanted);
    *staging = (struct staging)STAGING_INIT;
}

int staging_want(struct staging *staging, const char *name)
{
    if (strlen(name) >= STAGING_NAME_BYTES) {
        return -ENAMETOOLONG;
    }
    if (staging->n_wanted == STAGING_FILES_MAX) {
        return -E2BIG;
    }
    strcpy(staging->wanted[staging->n_wanted++], name);
    return 0;
}

bool staging_has(const struct staging *staging, const char *name)
{
    struct stat st;

    return !staging->was_incomplete &&
           fstatat(staging->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static bool is_wanted(const struct staging *staging, const char *name)
{
    for (size_t i = 0; i < staging->n_wanted; i++) {
        if (strcmp(staging->wanted[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Names that begin with a dot are this program's own; everybody else passes over them. */
static bool is_superfluous(const struct staging *staging, const char *name)
{
    return name[0] != '.' && !is_wanted(staging, name);
}

static int find_superfluous(const struct staging *staging, int at, const char *name)
{
    return is_superfluous(staging, name) ? -EEXIST : 0;
}

static int remove_superfluous(const struct staging *staging, int at, const char *name)
{
    char etag[sizeof(".etag.") + NAME_MAX];

    if (!is_superfluous(staging, name)) {
        return 0;
    }
    snprintf(etag, sizeof(etag), ".etag.%s", name);
    (void)unlinkat(at, etag, 0);
    return unlinkat(at, name, 0) < 0 ? -errno : 0;
}

static int touch(const struct staging *staging, const char *name)
{
    CLEANUP(closep)
    int fd = openat(staging->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    return fd < 0 || futimens(fd, NULL) < 0 || fsync(fd) < 0 || fsync(staging->folder) < 0 ? -errno
                                                                                           : 0;
}

/* The file first: should its name at the server come to nothing, it is only fetched once more. */
static int move_into_place(const struct staging *staging, const char *name)
{
    CLEANUP(closep) int fd = openat(staging->work, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char etag[sizeof(".etag.") + STAGING_NAME_BYTES];

    snprintf(etag, sizeof(etag), ".etag.%s", name);
    (void)unlinkat(staging->folder, etag, 0);
    if (fd < 0 || fchmod(fd, 0644) < 0 || fsync(fd) < 0 ||
        renameat(staging->work, name, staging->folder, name) < 0) {
        return -errno;
    }
    (void)renameat(staging->work, etag, staging->folder, etag);
    return 0;
}

static int move_all(const struct staging *staging, size_t n_changed)
{
    int r = touch(staging, INCOMPLETE);

    for (size_t i = 0; r == 0 && n_changed > 0 && i < staging->n_wanted; i++) {
        if (faccessat(staging->work, staging->wanted[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            r = move_into_place(staging, staging->wanted[i]);
        }
    }
    if (r == 0) {
        r = for_each(staging, staging->folder, remove_superfluous);
    }
    if (r == 0 && fsync(staging->folder) < 0) {
        r = -errno;
    }
    return r;
}

int staging_publish(struct staging *staging, size_t *ret_n_changed)
{
    size_t n_changed = 0;
    int r;

    for (size_t i = 0; i < staging->n_wanted; i++) {
        const char *name = staging->wanted[i];

        if (faccessat(staging->work, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            n_changed++;
        } else if (!staging_has(staging, name)) {
            tell("'%s': '%s' was not fetched", staging->path, name);
            return -ENOENT;
        }
    }
    r = for_each(staging, staging->folder, find_superfluous);
    if (n_changed > 0 || r == -EEXIST || staging->was_incomplete) {
        r = move_all(staging, n_changed);
        if (r == 0 && unlinkat(staging->folder, INCOMPLETE, 0) < 0) {
            r = -errno;
        }
    }
    if (r < 0) {
        return fail(staging, "cannot be written", r);
    }
    *ret_n_changed = n_changed;
    return 0;
}

int staging_stamp(const struct staging *staging)
{
    int r = touch(staging, FETCHED);

    return r < 0 ? fail(staging, "cannot be written", r) : 0;
}

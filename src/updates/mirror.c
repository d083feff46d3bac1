/*
 * Copies from a folder of this machine.
 *
 * A file whose size and time are those of what is here already is left alone, so a copy keeps the
 * time of its original. Links are followed: we may read no more than the user whom we run as.
 * Folders in a folder have no place among definitions and are an error, not passed over: something
 * would be missing without anybody knowing.
 */
#include "updates/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "definitions/tell.h"

/* In a folder that freshclam keeps: what it remembers, and no database. */
#define FRESHCLAM_STATE "freshclam.dat"

#define COPY_BYTES (64 * 1024)

static int refuse(const char *path, const char *why, int error)
{
    tell("'%s' %s; nothing was taken", path, why);
    return error;
}

static bool is_here_already(const struct staging *staging, const char *name, const struct stat *st)
{
    struct stat here;

    return staging_has(staging, name) &&
           fstatat(staging->folder, name, &here, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_size == st->st_size && here.st_mtim.tv_sec == st->st_mtim.tv_sec &&
           here.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

static int copy(int from, int to, uint64_t n_max)
{
    static char bytes[COPY_BYTES];
    uint64_t n_copied = 0;
    ssize_t n;

    while ((n = read(from, bytes, sizeof(bytes))) > 0) {
        n_copied += (uint64_t)n;
        if (n_copied > n_max) {
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
    return n < 0 ? -errno : 0;
}

int mirror_file(struct staging *staging, const struct update_config *config, const char *path,
                const char *name)
{
    CLEANUP(closep) int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    CLEANUP(closep) int to = -1;
    struct stat st;
    int r;

    if (from < 0 || fstat(from, &st) < 0) {
        return refuse(path, strerror(errno), -errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return refuse(path, "is not a regular file", -EINVAL);
    }
    r = staging_want(staging, name);
    if (r < 0) {
        return refuse(path,
                      r == -E2BIG ? "is one too many: 4096 files are the limit" : strerror(-r), r);
    }
    if (is_here_already(staging, name, &st)) {
        return 0;
    }
    to = openat(staging->work, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    r = to < 0 ? -errno : copy(from, to, config->file_bytes_max);
    if (r == 0 && futimens(to, (struct timespec[2]){st.st_atim, st.st_mtim}) < 0) {
        r = -errno;
    }
    return r < 0 ? refuse(path, r == -EFBIG ? "is larger than max-file-size" : strerror(-r), r) : 0;
}

int mirror_folder(struct staging *staging, const struct update_config *config, const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char file[PATH_MAX];
    int r = 0;

    if (!folder) {
        return refuse(path, strerror(errno), -errno);
    }
    while (r == 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, FRESHCLAM_STATE) == 0) {
            continue;
        }
        r = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) >= (int)sizeof(file)
                ? refuse(path, "is too long", -ENAMETOOLONG)
                : mirror_file(staging, config, file, entry->d_name);
    }
    closedir(folder);
    if (r == 0 && staging->n_wanted == 0) {
        return refuse(path, "is empty", -ENODATA);
    }
    return r;
}

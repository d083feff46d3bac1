/*
 * Folders for temporary files of an engine that cannot do without.
 *
 * Each is a tmpfs of its own that is mounted nowhere: fsmount(2) gives a descriptor for its root,
 * and that is all there is. No name leads to it, nothing of the system is hidden by it, and when
 * the last descriptor is closed its memory is free. Landlock rules take it like any folder.
 *
 * Emptying one meets whatever hostile content in an engine left there: names of any bytes, trees as
 * deep as there are inodes. So the walk holds one folder at a time, goes up by ".." (which ends at
 * the root of a mount), follows no link, and keeps its buffer on the stack. It is bounded by the
 * number of inodes. A folder that cannot be entered would end it early; seccomp lets workers make
 * none (seccomp_profiles.c).
 *
 * Raw getdents64(2), because init, which calls this, allocates nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define N_INODES    "16384"
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* As getdents64(2) has it. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int set_number(int context, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return fsconfig(context, FSCONFIG_SET_STRING, key, text, 0) < 0 ? -errno : 0;
}

int sandbox_scratch_make(uint64_t n_bytes, uint32_t uid, uint32_t gid, int *ret_fd)
{
    CLEANUP(closep) int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    int fd;
    int r;

    if (context < 0) {
        return -errno;
    }
    r = set_number(context, "size", n_bytes);
    r = r < 0 ? r : set_number(context, "uid", uid);
    r = r < 0 ? r : set_number(context, "gid", gid);
    if (r < 0) {
        return r;
    }
    if (fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", N_INODES, 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return -errno;
    }
    fd =
        fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (fd < 0) {
        return -errno;
    }
    *ret_fd = fd;
    return 0;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

enum removal {
    REMOVED = 0,
    REMOVAL_NEEDS_DESCENT = 1,
};

static int entry_remove(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) {
        return REMOVED;
    }
    if (errno != EISDIR && errno != EPERM) {
        return -errno;
    }
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0) {
        return REMOVED;
    }
    return errno == ENOTEMPTY ? REMOVAL_NEEDS_DESCENT : -errno;
}

/* Removes what it can. Returns how many entries it met, or -errno; `ret_child` is the first folder
 * that is not empty, opened, or -1. */
static int folder_thin(int folder, int *ret_child)
{
    _Alignas(struct entry) char buffer[4096];
    int n_met = 0;
    long n;

    *ret_child = -1;
    if (lseek(folder, 0, SEEK_SET) < 0) {
        return -errno;
    }
    while ((n = syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
            int r = 0;

            at += entry->length;
            if (is_dot(entry->name)) {
                continue;
            }
            n_met++;
            r = entry_remove(folder, entry->name);
            if (r < 0) {
                return r;
            }
            if (r == REMOVAL_NEEDS_DESCENT) {
                *ret_child = openat(folder, entry->name, OPEN_FOLDER);
                return *ret_child < 0 ? -errno : n_met;
            }
        }
    }
    return n < 0 ? -errno : n_met;
}

/* tmpfs counts what is in a folder in its size; elsewhere it says nothing, and is not 0. */
static bool is_empty(int folder)
{
    struct stat st;

    return fstat(folder, &st) == 0 && st.st_size == 0;
}

int sandbox_scratch_wipe(int fd)
{
    CLEANUP(closep) int folder = -1;
    size_t depth = 0;

    if (is_empty(fd)) {
        return 0;
    }
    folder = openat(fd, ".", OPEN_FOLDER);
    if (folder < 0) {
        return -errno;
    }
    for (;;) {
        int next;
        int r = folder_thin(folder, &next);

        if (r < 0) {
            return r;
        }
        if (next >= 0) {
            depth++;
        } else if (r > 0) {
            continue; /* until nothing is met any more */
        } else if (depth == 0) {
            return 0;
        } else {
            depth--;
            next = openat(folder, "..", OPEN_FOLDER);
            if (next < 0) {
                return -errno;
            }
        }
        close(folder);
        folder = next;
    }
}

/*
 * Whether two generations of a provider fit into memory.
 *
 * What one takes is the largest resident size among its processes: that of the zygote, whose pages
 * the workers share. What is there is the least of the kernel's MemAvailable and of what the limit
 * of each control group above us leaves, in its version 1 or 2; pages of files that nobody used
 * lately count as free there, since the kernel takes them back first. Only files of /proc and /sys
 * are read. Nothing here decides for good: a guess that was wrong ends in a generation that is
 * given up, as any that cannot load.
 */
#include "launcher/room.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 8192
#define TREE_MAX   256

/* Names of files in the two versions of control groups. */
struct group_files {
    const char *folder; /* where they are mounted */
    const char *limit;
    const char *usage;
    const char *inactive; /* the line of memory.stat */
};

static const struct group_files version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                             "memory.usage_in_bytes", "total_inactive_file "};
static const struct group_files version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
                                             "inactive_file "};

/* The start of a file; false when it cannot be read. */
static bool read_text(const char *path, char text[TEXT_BYTES])
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t r = 1;

    while (fd >= 0 && n < TEXT_BYTES - 1 && (r = read(fd, text + n, TEXT_BYTES - 1 - n)) > 0) {
        n += (size_t)r;
    }
    text[n] = '\0';
    return fd >= 0 && r >= 0;
}

/* The number behind a word that begins a line; `missing` without that. */
static uint64_t number_after(const char *text, const char *word, uint64_t missing)
{
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, word, strlen(word)) == 0) {
            const char *at = line + strlen(word) + strspn(line + strlen(word), " \t");

            return *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : missing;
        }
    }
    return missing;
}

/* ----------------------------------------------------------------------------------- processes */

struct process {
    pid_t pid;
    pid_t parent;
    uint64_t n_pages;
};

/* Fields 4 and 24 of /proc/PID/stat, behind a name that may hold anything. */
static bool read_process(const char *name, struct process *ret)
{
    char path[64];
    char text[TEXT_BYTES];
    char *at;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
    at = read_text(path, text) ? strrchr(text, ')') : NULL;
    for (int field = 2; at && field < 24; field++) {
        at = strchr(at + 1, ' ');
        if (at && field == 3) {
            ret->parent = (pid_t)strtol(at, NULL, 10);
        }
    }
    ret->pid = (pid_t)strtol(name, NULL, 10);
    ret->n_pages = at ? strtoull(at, NULL, 10) : 0;
    return at != NULL;
}

static bool has_pid(const struct process *tree, size_t n_tree, pid_t pid)
{
    for (size_t i = 0; i < n_tree; i++) {
        if (tree[i].pid == pid) {
            return true;
        }
    }
    return false;
}

/* Adds those whose parents are in the tree already; returns how many there are then. */
static size_t grow_tree(DIR *folder, struct process tree[TREE_MAX], size_t n_tree)
{
    struct dirent *entry;
    struct process process;

    rewinddir(folder);
    while (n_tree < TREE_MAX && (entry = readdir(folder))) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_process(entry->d_name, &process) && has_pid(tree, n_tree, process.parent) &&
            !has_pid(tree, n_tree, process.pid)) {
            tree[n_tree++] = process;
        }
    }
    return n_tree;
}

uint64_t room_taken_bytes(pid_t pid)
{
    struct process tree[TREE_MAX];
    DIR *folder = opendir("/proc");
    uint64_t n_pages = 0;
    size_t n_before = 0;
    size_t n_tree;
    char name[16];

    snprintf(name, sizeof(name), "%d", (int)pid);
    n_tree = read_process(name, &tree[0]) ? 1 : 0;
    while (folder && n_tree > n_before) {
        n_before = n_tree;
        n_tree = grow_tree(folder, tree, n_tree);
    }
    if (folder) {
        closedir(folder);
    }
    for (size_t i = 0; i < n_tree; i++) {
        n_pages = tree[i].n_pages > n_pages ? tree[i].n_pages : n_pages;
    }
    return n_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ------------------------------------------------------------------------------- control groups */

/* What one group leaves. */
static uint64_t group_left(const char *root, const struct group_files *files, const char *group)
{
    char path[PATH_MAX];
    char text[TEXT_BYTES];
    uint64_t limit;
    uint64_t used;
    uint64_t idle;

    snprintf(path, sizeof(path), "%s%s%s/%s", root, files->folder, group, files->limit);
    limit = read_text(path, text) ? number_after(text, "", ROOM_UNLIMITED) : ROOM_UNLIMITED;
    snprintf(path, sizeof(path), "%s%s%s/%s", root, files->folder, group, files->usage);
    if (limit == ROOM_UNLIMITED || !read_text(path, text)) {
        return ROOM_UNLIMITED; /* "max", or no limit in the group at the top */
    }
    used = number_after(text, "", 0);
    snprintf(path, sizeof(path), "%s%s%s/memory.stat", root, files->folder, group);
    idle = read_text(path, text) ? number_after(text, files->inactive, 0) : 0;
    used -= idle < used ? idle : used;
    return used < limit ? limit - used : 0;
}

/* Of a group and all above it. */
static uint64_t groups_left(const char *root, const struct group_files *files, char *group)
{
    uint64_t least = ROOM_UNLIMITED;

    for (;;) {
        uint64_t left = group_left(root, files, strcmp(group, "/") == 0 ? "" : group);
        char *slash = strrchr(group, '/');

        least = left < least ? left : least;
        if (!slash || group[0] == '\0') {
            return least;
        }
        *slash = '\0';
    }
}

uint64_t room_available_bytes(const char *root)
{
    char path[PATH_MAX];
    char text[TEXT_BYTES];
    uint64_t least = ROOM_UNLIMITED;
    char *rest = text;
    char *line;

    snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    if (read_text(path, text)) {
        uint64_t kib = number_after(text, "MemAvailable:", ROOM_UNLIMITED);

        least = kib < ROOM_UNLIMITED / 1024 ? kib * 1024 : ROOM_UNLIMITED;
    }
    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    if (!read_text(path, text)) {
        return least;
    }
    while ((line = strsep(&rest, "\n"))) {
        char *memory = strstr(line, ":memory:");
        uint64_t left = ROOM_UNLIMITED;

        if (strncmp(line, "0::", 3) == 0) {
            left = groups_left(root, &version_2, line + 3);
        } else if (memory) {
            left = groups_left(root, &version_1, memory + strlen(":memory:"));
        }
        least = left < least ? left : least;
    }
    return least;
}

bool room_is_enough(uint64_t taken_bytes, uint64_t available_bytes)
{
    return taken_bytes + taken_bytes / 4 <= available_bytes;
}

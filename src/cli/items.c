/*
 * From paths to items.
 *
 * A path is looked at through an O_PATH descriptor first, which neither blocks nor wakes a device;
 * only a regular file is then opened, through that same descriptor, so that nothing can be put in
 * its place in between. Folders need -r, and below them symbolic links are not followed. FIFOs,
 * sockets and devices are refused by name. A file that does not say how much is in it (below /proc
 * and /sys) is taken in like a pipe, but not waited for: only standard input is.
 *
 * Each path is opened when its turn comes: a thousand arguments do not need a thousand descriptors.
 */
#include "cli/items.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "cli/lines.h"
#include "cli/spool.h"
#include "cli/walk.h"

struct items {
    struct items_options options;
    size_t next_path;
    struct walk *walk; /* a folder that we are in, or NULL */
    char *name;        /* what is being read by lines or spool, or NULL */
    bool may_wait;     /* for more of that to come */
    struct lines lines;
    struct spool spool;
};

int items_new(struct items **ret_items, const struct items_options *options)
{
    struct items *items = calloc(1, sizeof(*items));

    if (!items) {
        return -ENOMEM;
    }
    items->options = *options;
    items->lines = (struct lines)LINES_INIT;
    items->spool = (struct spool)SPOOL_INIT;
    *ret_items = items;
    return 0;
}

void items_free(struct items *items)
{
    if (!items) {
        return;
    }
    lines_fini(&items->lines);
    spool_fini(&items->spool);
    walk_free(items->walk);
    free(items->name);
    free(items);
}

int items_fd(const struct items *items)
{
    return items->lines.fd >= 0 ? items->lines.fd : items->spool.fd;
}

static const char *refusal(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "is a folder; add -r to scan what is in it";
    case S_IFIFO:
        return "is a FIFO; only regular files are scanned";
    case S_IFSOCK:
        return "is a socket; only regular files are scanned";
    case S_IFCHR:
    case S_IFBLK:
        return "is a device; only regular files are scanned";
    case S_IFLNK:
        return "is a symbolic link";
    default:
        return "is not a regular file";
    }
}

/* Opens what an O_PATH descriptor stands for. Return: descriptor or a negative errno. */
static int reopen(int path_fd)
{
    char link[64];
    int fd;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
    /* O_NONBLOCK: a lease on the file must not hold us up. */
    fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Starts taking in @fd (given away) under @name (given away) as lines or as a whole. */
static int begin_stream(struct items *items, int fd, char *name, bool may_wait)
{
    items->name = name;
    items->may_wait = may_wait;
    if (items->options.split == ITEMS_WHOLE) {
        return spool_init(&items->spool, fd,
                          may_wait ? ITEMS_STREAM_BYTES : ITEMS_CONTENT_BYTES_MAX);
    }
    lines_init(&items->lines, fd, items->options.split == ITEMS_LINES ? '\n' : '\0',
               ITEMS_CONTENT_BYTES_MAX);
    return 0;
}

static void end_stream(struct items *items)
{
    lines_fini(&items->lines);
    spool_fini(&items->spool);
    free(TAKE_PTR(items->name));
}

/* A file of which nothing can be read now may never have more, or only what somebody else waits
 * for (/proc/kmsg). */
static int fail_reading(struct item *item, int error)
{
    if (error == EAGAIN) {
        return item_fail(item, "has nothing to read now; only standard input is waited for");
    }
    return item_fail_errno(item, error);
}

/* Gives one item that cannot be read. */
static int give_problem(struct item *item, int error, struct item *ret_item)
{
    int r = error == ENOMEM ? -ENOMEM : fail_reading(item, error);

    if (r < 0) {
        return r;
    }
    *ret_item = *item;
    *item = (struct item)ITEM_INIT;
    return 0;
}

static int next_line(struct items *items, struct item *ret_item)
{
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    const char *bytes = NULL;
    size_t n_bytes = 0;
    int r = lines_next(&items->lines, &bytes, &n_bytes);

    if (r == LINES_E_WAIT) {
        if (items->may_wait) {
            return ITEMS_E_WAIT;
        }
        r = -EAGAIN;
    }
    if (r == LINES_E_END) {
        end_stream(items);
        return ITEMS_E_END;
    }
    item.name = strdup(items->name);
    item.ordinal = items->lines.ordinal + (r < 0 ? 1 : 0);
    if (!item.name) {
        return -ENOMEM;
    }
    if (r < 0) {
        end_stream(items);
        return give_problem(&item, -r, ret_item);
    }
    item.full_size = n_bytes;
    item.is_too_large = r == LINES_E_TOO_LONG;
    if (!item.is_too_large) {
        item.bytes = malloc(n_bytes ? n_bytes : 1);
        if (!item.bytes) {
            return -ENOMEM;
        }
        memcpy(item.bytes, bytes, n_bytes);
        item.n_bytes = n_bytes;
    }
    *ret_item = item;
    item = (struct item)ITEM_INIT;
    return 0;
}

static int next_spooled(struct items *items, struct item *ret_item)
{
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    int r = spool_step(&items->spool);

    if (r == SPOOL_E_WAIT) {
        if (items->may_wait) {
            return ITEMS_E_WAIT;
        }
        r = -EAGAIN;
    }
    item.name = TAKE_PTR(items->name);
    if (r < 0) {
        end_stream(items);
        return give_problem(&item, -r, ret_item);
    }
    item.is_copy = true;
    item.full_size = items->spool.n_bytes;
    if (r == SPOOL_E_TOO_LARGE && items->may_wait) {
        item.rest_fd = TAKE_FD(items->spool.fd);
        r = 0;
    }
    item.is_too_large = r == SPOOL_E_TOO_LARGE;
    item.fd = item.is_too_large ? -1 : TAKE_FD(items->spool.memory_fd);
    end_stream(items);
    *ret_item = item;
    item = (struct item)ITEM_INIT;
    return 0;
}

/* Whether the size that a file states means nothing: it says it is empty and is not (/proc), or
 * says the same as all others (/sys). Return: 0, 1, or -EAGAIN: there is nothing to read of it
 * now. */
static int is_size_unknown(int fd, const struct stat *st)
{
    struct statfs fs;
    char byte;

    if (st->st_size == 0) {
        ssize_t n = pread(fd, &byte, 1, 0);

        return n < 0 && errno == EAGAIN ? -EAGAIN : n == 1;
    }
    return st->st_blocks == 0 && fstatfs(fd, &fs) == 0 && fs.f_type == SYSFS_MAGIC;
}

/* A regular file, opened. Return: 0, or ITEMS_E_END when it is now being taken in. */
static int take_file(struct items *items, struct item *item, int fd, const struct stat *st)
{
    int r = 1;

    if (items->options.split == ITEMS_WHOLE) {
        r = is_size_unknown(fd, st);
    }
    if (r < 0) {
        close(fd);
        return fail_reading(item, -r);
    }
    if (r > 0) {
        r = begin_stream(items, fd, TAKE_PTR(item->name), false);
        return r < 0 ? r : ITEMS_E_END;
    }
    item->fd = fd;
    item->full_size = (uint64_t)st->st_size;
    return 0;
}

/* What an O_PATH descriptor stands for. Return: as take_file(). */
static int take_path(struct items *items, struct item *item, int path_fd, const struct stat *st)
{
    int fd;

    if (!S_ISREG(st->st_mode)) {
        return item_fail(item, refusal(st->st_mode));
    }
    fd = reopen(path_fd);
    if (fd < 0) {
        return item_fail_errno(item, -fd);
    }
    return take_file(items, item, fd, st);
}

/* Return: 0, or ITEMS_E_END when the folder is now being walked. */
static int take_folder(struct items *items, struct item *item, int path_fd)
{
    int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0) {
        return item_fail_errno(item, errno);
    }
    r = walk_new(&items->walk, fd, item->name);
    if (r < 0) {
        return r == -ENOMEM ? r : item_fail_errno(item, -r);
    }
    return ITEMS_E_END;
}

static int take_argument(struct items *items, struct item *item, const char *path)
{
    CLEANUP(closep) int path_fd = -1;
    struct stat st;

    item->name = strdup(path);
    if (!item->name) {
        return -ENOMEM;
    }
    if (strcmp(path, "-") == 0) {
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        int r;

        if (fd < 0) {
            return item_fail_errno(item, errno);
        }
        r = begin_stream(items, fd, TAKE_PTR(item->name), true);
        return r < 0 ? r : ITEMS_E_END;
    }
    path_fd = open(path, O_PATH | O_CLOEXEC);
    if (path_fd < 0 || fstat(path_fd, &st) < 0) {
        return item_fail_errno(item, errno);
    }
    if (S_ISDIR(st.st_mode) && items->options.is_recursive) {
        return take_folder(items, item, path_fd);
    }
    return take_path(items, item, path_fd, &st);
}

static int take_walked(struct items *items, struct item *item)
{
    CLEANUP(walk_entry_fini) struct walk_entry entry = WALK_ENTRY_INIT;
    int r = walk_next(items->walk, &entry);

    if (r == WALK_E_END) {
        walk_free(TAKE_PTR(items->walk));
        return ITEMS_E_END;
    }
    if (r < 0) {
        return r;
    }
    item->name = TAKE_PTR(entry.path);
    if (entry.error != 0) {
        return item_fail_errno(item, entry.error);
    }
    if (S_ISLNK(entry.st.st_mode)) {
        if (items->options.on_link) {
            items->options.on_link(item->name, items->options.userdata);
        }
        return ITEMS_E_END;
    }
    return take_path(items, item, entry.path_fd, &entry.st);
}

/* One step. Return: 0, ITEMS_E_WAIT, a negative errno, or ITEMS_E_END: nothing came of it. */
static int step(struct items *items, struct item *ret_item)
{
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    int r;

    if (items->lines.fd >= 0) {
        return next_line(items, ret_item);
    }
    if (items->spool.fd >= 0) {
        return next_spooled(items, ret_item);
    }
    if (items->walk) {
        r = take_walked(items, &item);
    } else {
        r = take_argument(items, &item, items->options.paths[items->next_path++]);
    }
    if (r != 0) {
        return r;
    }
    *ret_item = item;
    item = (struct item)ITEM_INIT;
    return 0;
}

int items_next(struct items *items, struct item *ret_item)
{
    while (items->lines.fd >= 0 || items->spool.fd >= 0 || items->walk ||
           items->next_path < items->options.n_paths) {
        int r = step(items, ret_item);

        if (r != ITEMS_E_END) {
            return r;
        }
    }
    return ITEMS_E_END;
}

/*
 * The file `off` in the runtime folder: pes stops nothing until a moment of this boot.
 *
 *   until SECONDS    of CLOCK_BOOTTIME, which counts through suspend and which nobody can set
 *   uid NUMBER       who wrote it, to be shown
 *
 * Three read it: pesd, which puts the broker into observe until then; libpes, when no broker
 * answers; and `pes status`. It must therefore mean the same without any of them running, and must
 * not be something that an application's user could have written: folder and file belong to root,
 * or to the reader's own user, who can set up a service of that user's own anyway. One that says
 * more than a day ahead is from another boot, or an error, and is not believed. A reboot ends it
 * also because the system's folder, /run/pes, does not survive one.
 *
 * Anything that is wrong with it means: not off.
 */
#include "base/off_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 128
#define NEW_NAME       ".off.new"

uint64_t off_state_now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec;
}

static bool is_trusted(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Takes `name NUMBER\n` from the start of what is left; at most 19 digits, so that it fits. */
static bool take_number(const char **text, size_t *n_text, const char *name, uint64_t *ret_number)
{
    size_t n_name = strlen(name);
    size_t at = n_name;
    uint64_t number = 0;

    if (*n_text < n_name || memcmp(*text, name, n_name) != 0) {
        return false;
    }
    for (; at < *n_text && at < n_name + 19 && (*text)[at] >= '0' && (*text)[at] <= '9'; at++) {
        number = number * 10 + (uint64_t)((*text)[at] - '0');
    }
    if (at == n_name || at >= *n_text || (*text)[at] != '\n') {
        return false;
    }
    *text += at + 1;
    *n_text -= at + 1;
    *ret_number = number;
    return true;
}

int off_state_parse(struct off_state *ret, const char *text, size_t n_text, uint64_t now_s)
{
    uint64_t until_s, uid;

    if (!take_number(&text, &n_text, "until ", &until_s) ||
        !take_number(&text, &n_text, "uid ", &uid) || n_text > 0 || uid > UINT32_MAX) {
        return OFF_STATE_E_REFUSED;
    }
    if (until_s <= now_s) {
        return OFF_STATE_E_NONE;
    }
    if (until_s - now_s > OFF_STATE_SECONDS_MAX) {
        return OFF_STATE_E_REFUSED;
    }
    *ret = (struct off_state){.until_s = until_s, .by_uid = (uint32_t)uid};
    return 0;
}

static int open_folder(const char *folder, int *ret_fd)
{
    *ret_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *ret_fd < 0 ? -errno : 0;
}

int off_state_load(struct off_state *ret, const char *folder)
{
    CLEANUP(closep) int folder_fd = -1;
    CLEANUP(closep) int fd = -1;
    char text[TEXT_BYTES_MAX];
    struct stat st;
    ssize_t n;
    int r = open_folder(folder, &folder_fd);

    if (r < 0) {
        return r == -ENOENT ? OFF_STATE_E_NONE : r;
    }
    fd = openat(folder_fd, OFF_STATE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? OFF_STATE_E_NONE : -errno;
    }
    if (fstat(folder_fd, &st) < 0) {
        return -errno;
    }
    if (!is_trusted(&st)) {
        return OFF_STATE_E_REFUSED;
    }
    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !is_trusted(&st)) {
        return OFF_STATE_E_REFUSED;
    }
    n = pread(fd, text, sizeof(text), 0);
    if (n < 0) {
        return -errno;
    }
    return off_state_parse(ret, text, (size_t)n, off_state_now_s());
}

int off_state_store(const char *folder, const struct off_state *state)
{
    CLEANUP(closep) int folder_fd = -1;
    CLEANUP(closep) int fd = -1;
    char text[TEXT_BYTES_MAX];
    struct stat st;
    int r = open_folder(folder, &folder_fd);
    int n = snprintf(text, sizeof(text), "until %" PRIu64 "\nuid %" PRIu32 "\n", state->until_s,
                     state->by_uid);

    if (r < 0) {
        return r;
    }
    if (fstat(folder_fd, &st) < 0) {
        return -errno;
    }
    if (!is_trusted(&st)) {
        return OFF_STATE_E_REFUSED;
    }
    if (unlinkat(folder_fd, NEW_NAME, 0) < 0 && errno != ENOENT) {
        return -errno;
    }
    fd = openat(folder_fd, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return -errno;
    }
    /* Everybody's libpes reads it, whatever the umask is. */
    if (fchmod(fd, 0644) < 0) {
        return -errno;
    }
    if (write(fd, text, (size_t)n) != n) {
        return errno ? -errno : -EIO;
    }
    return renameat(folder_fd, NEW_NAME, folder_fd, OFF_STATE_NAME) < 0 ? -errno : 0;
}

int off_state_remove(const char *folder)
{
    CLEANUP(closep) int folder_fd = -1;
    int r = open_folder(folder, &folder_fd);

    if (r < 0) {
        return r == -ENOENT ? OFF_STATE_E_NONE : r;
    }
    if (unlinkat(folder_fd, OFF_STATE_NAME, 0) < 0) {
        return errno == ENOENT ? OFF_STATE_E_NONE : -errno;
    }
    return 0;
}

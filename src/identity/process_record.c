/*
 * From a pidfd to the program behind it.
 *
 * A pid may be given to another process at any time, so it is never trusted by itself. The pidfd
 * names the pid; /proc/PID is opened; if the process of the pidfd is still there after that, the
 * folder is its own (a folder in /proc stays with its process and goes dead with it), and all that
 * follows is read through it. A program that calls exec() meanwhile is noticed by its link, and
 * everything is read again.
 *
 * The link to the program gives its path as the process itself sees the file system, and anybody
 * can have a file system of their own (unshare(1), mount --bind): there any file is /usr/bin/env.
 * The path is kept only if the same file is there for us, too. Asking for a file's identity never
 * waits for the file system to refresh it (AT_STATX_DONT_SYNC): it may be one that never answers.
 *
 * What may not be read stays empty: another user's program without CAP_SYS_PTRACE, for example. A
 * text that doesn't fit stays empty as well, since the beginning of a path names another file.
 */
#include "identity/process_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "identity/ancestry.h"
#include "identity/proc_file.h"

#define TRIES_MAX 3

/* The pid that a pidfd stands for: 0 and below, it has ended or is not in our sight. -EBADF if it
 * is no pidfd. */
static int pid_of(int pidfd, pid_t *ret)
{
    char name[64];
    char text[1024];
    const char *line;

    snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", pidfd);
    if (proc_file_read(AT_FDCWD, name, text, sizeof(text)) < 0) {
        return -EBADF;
    }
    line = strstr(text, "\nPid:");
    if (!line) {
        return -EBADF;
    }
    *ret = (pid_t)strtol(line + strlen("\nPid:"), NULL, 10);
    return 0;
}

static bool is_alive(int pidfd)
{
    return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 || errno == EPERM;
}

/* The group of the unified hierarchy: the line "0::/path". */
static void read_cgroup(int folder, char *out, size_t n_out)
{
    char text[4096];
    char *line;
    size_t n;

    if (proc_file_read(folder, "cgroup", text, sizeof(text)) < 0) {
        return;
    }
    line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line) {
        return;
    }
    line = strchr(line, '/');
    n = line ? strcspn(line, "\n") : 0;
    if (n > 0 && n < n_out) {
        memcpy(out, line, n);
        out[n] = '\0';
    }
}

static void read_label(int folder, char *out, size_t n_out)
{
    char text[1024];
    size_t n;

    if (proc_file_read(folder, "attr/current", text, sizeof(text)) < 0) {
        return; /* no security module */
    }
    n = strcspn(text, "\n");
    if (n < n_out) {
        memcpy(out, text, n);
        out[n] = '\0';
    }
}

/* Reads the link to the program; empty when it may not be read or is too long. */
static void read_exe_path(int folder, char *out, size_t n_out)
{
    ssize_t n = readlinkat(folder, "exe", out, n_out);

    out[n > 0 && (size_t)n < n_out ? n : 0] = '\0';
}

/* Which file a name stands for; false if that cannot be told. */
static bool file_of(int folder, const char *name, uint64_t *ret_device, uint64_t *ret_inode)
{
    struct statx st;

    if (statx(folder, name, AT_STATX_DONT_SYNC, STATX_INO, &st) < 0 || !(st.stx_mask & STATX_INO)) {
        return false;
    }
    *ret_device = makedev(st.stx_dev_major, st.stx_dev_minor);
    *ret_inode = st.stx_ino;
    return true;
}

static bool is_ours_too(const struct identity_record *record)
{
    uint64_t device, inode;

    return record->exe_path[0] == '/' && file_of(AT_FDCWD, record->exe_path, &device, &inode) &&
           device == record->exe_device && inode == record->exe_inode;
}

static void read_exe(int folder, struct identity_record *record)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        char again[sizeof(record->exe_path)];

        read_exe_path(folder, record->exe_path, sizeof(record->exe_path));
        if (!file_of(folder, "exe", &record->exe_device, &record->exe_inode)) {
            record->exe_device = record->exe_inode = 0;
        }
        read_exe_path(folder, again, sizeof(again));
        if (strcmp(again, record->exe_path) == 0) {
            break;
        }
    }
    if (!is_ours_too(record)) {
        record->exe_path[0] = '\0';
    }
}

static int open_folder(int pidfd, int *ret_folder)
{
    CLEANUP(closep) int folder = -1;
    char name[32];
    pid_t pid;
    int r = pid_of(pidfd, &pid);

    if (r < 0) {
        return r;
    }
    if (pid <= 0) {
        return -ESRCH;
    }
    snprintf(name, sizeof(name), "/proc/%d", pid);
    folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || !is_alive(pidfd)) {
        return -ESRCH;
    }
    *ret_folder = TAKE_FD(folder);
    return 0;
}

void process_record_read(struct identity_record *ret, int pidfd, pid_t pid, pid_t root)
{
    CLEANUP(closep) int folder = -1;
    CLEANUP(closep) int own_pidfd = -1;
    struct identity_record record = {.version = ret->version, .session = ret->session};
    int r;

    if (pidfd < 0) {
        own_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        pidfd = own_pidfd;
    }
    r = pidfd < 0 ? -ESRCH : open_folder(pidfd, &folder);
    if (r == 0) {
        record.start_time = proc_file_stat_number(folder, 22);
        read_exe(folder, &record);
        read_cgroup(folder, record.cgroup, sizeof(record.cgroup));
        read_label(folder, record.lsm_label, sizeof(record.lsm_label));
        record.is_own = root > 0 && ancestry_has(folder, root);
        r = record.start_time > 0 ? 0 : -ESRCH; /* it went while we looked */
    }
    if (r < 0) {
        record = (struct identity_record){
            .version = ret->version,
            .session = ret->session,
            .error = -r,
        };
    }
    *ret = record;
}

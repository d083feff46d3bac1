/* V10: files, folders, what is known about them, and what /proc tells. */
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "kit_attempt.h"

#define TEMPORARY "/tmp/pes-escape"

/* The one place that finds out about other processes: its seccomp profile says read-only. */
#define READER KIT_IDENTITY

ATTEMPT(passwd, open("/etc/passwd", O_RDONLY | O_CLOEXEC))
ATTEMPT(own_memory, open("/proc/self/mem", O_RDWR | O_CLOEXEC))
ATTEMPT(parent_memory, open("/proc/1/mem", O_RDWR | O_CLOEXEC))
ATTEMPT(own_descriptor, open("/proc/self/fd/0", O_RDWR | O_CLOEXEC))
ATTEMPT(maps, open("/proc/1/maps", O_RDONLY | O_CLOEXEC))
ATTEMPT(list_proc, open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
ATTEMPT(list_root, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
ATTEMPT(list_home, open("/home", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
ATTEMPT(hold_path, open("/etc/passwd", O_PATH | O_CLOEXEC))
ATTEMPT(device, open("/dev/zero", O_RDWR | O_CLOEXEC))
ATTEMPT(openat2_passwd, syscall(NR_OPENAT2, AT_FDCWD, "/etc/passwd",
                                "\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0",
                                24))
ATTEMPT(make_file, open(TEMPORARY, O_WRONLY | O_CREAT | O_CLOEXEC, 0600))
ATTEMPT(nameless_file, open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600))
ATTEMPT(make_folder, mkdir(TEMPORARY, 0700))
ATTEMPT(make_node, mknod(TEMPORARY, S_IFIFO | 0600, 0))
ATTEMPT(make_symlink, symlink("/etc/passwd", TEMPORARY))
ATTEMPT(make_link, link("/etc/passwd", TEMPORARY))
ATTEMPT(rename_file, rename(TEMPORARY, TEMPORARY "2"))
ATTEMPT(remove_file, unlink(TEMPORARY))
ATTEMPT(remove_folder, rmdir(TEMPORARY))
ATTEMPT(change_mode, chmod(TEMPORARY, 0777))
ATTEMPT(change_owner, lchown(TEMPORARY, 0, 0))
ATTEMPT(cut, truncate(TEMPORARY, 0))
ATTEMPT(set_times, utimensat(AT_FDCWD, TEMPORARY, NULL, 0))
ATTEMPT(set_attribute, setxattr(TEMPORARY, "user.x", "x", 1, 0))
ATTEMPT(get_attribute, getxattr("/etc/passwd", "user.x", NULL, 0))
ATTEMPT(go_elsewhere, chdir("/tmp"))
ATTEMPT(watch, inotify_init1(IN_CLOEXEC))
ATTEMPT(watch_all, fanotify_init(FAN_CLASS_NOTIF, 0))
ATTEMPT(handle_of, syscall(SYS_name_to_handle_at, AT_FDCWD, "/etc/passwd", NULL, NULL, 0))
ATTEMPT(open_handle, syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0))
ATTEMPT(flush_all, syscall(SYS_syncfs, STDERR_FILENO))

static long state(void)
{
    struct stat st;

    return stat("/etc/passwd", &st);
}

static long access_file(void)
{
    return access("/etc/passwd", R_OK);
}

static long program_of_parent(void)
{
    char path[64];

    return readlink("/proc/1/exe", path, sizeof(path));
}

static const struct kit_attempt rows[] = {
    {"V10-open-passwd", passwd, READER},
    {"V10-open-own-memory", own_memory, 0},
    {"V10-open-parent-memory", parent_memory, 0},
    {"V8-reopen-descriptor", own_descriptor, 0},
    {"V10-open-maps", maps, READER},
    {"V10-list-proc", list_proc, READER},
    {"V10-list-root", list_root, READER},
    {"V10-list-home", list_home, READER},
    {"V10-hold-path", hold_path, READER},
    {"V10-open-device", device, 0},
    {"V10-openat2", openat2_passwd, 0},
    {"V15-make-file", make_file, 0},
    {"V15-make-nameless-file", nameless_file, 0},
    {"V15-make-folder", make_folder, 0},
    {"V15-make-node", make_node, 0},
    {"V15-make-symlink", make_symlink, 0},
    {"V15-make-link", make_link, 0},
    {"V15-rename", rename_file, 0},
    {"V15-remove-file", remove_file, 0},
    {"V15-remove-folder", remove_folder, 0},
    {"V15-change-mode", change_mode, 0},
    {"V15-change-owner", change_owner, 0},
    {"V15-truncate", cut, 0},
    {"V15-set-times", set_times, 0},
    {"V15-set-attribute", set_attribute, 0},
    {"V10-get-attribute", get_attribute, 0},
    {"V10-chdir", go_elsewhere, 0},
    /* Landlock does not see these three: while a module loads, it learns what exists by name. */
    {"V10-stat", state, READER | KIT_ZYGOTE},
    {"V10-access", access_file, KIT_ZYGOTE},
    {"V10-readlink", program_of_parent, READER | KIT_ZYGOTE | KIT_SANITIZER},
    {"V10-inotify", watch, 0},
    {"V10-fanotify", watch_all, 0},
    {"V10-name-to-handle", handle_of, 0},
    {"V10-open-by-handle", open_handle, 0},
    {"V15-syncfs", flush_all, 0},
};
KIT_TABLE(kit_files, rows);

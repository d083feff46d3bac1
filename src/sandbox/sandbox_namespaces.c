/*
 * Leaving namespaces, one kind at a time, so that one that is denied (container runtimes deny user
 * namespaces, some kernels lack others) costs only itself.
 *
 * The user namespace comes first, since it brings the right to the others; it maps our own uid and
 * gid to themselves, so that ownership looks the same inside. Whoever has the right already (root)
 * leaves it out: a real uid of its own is better than a mapped one (RLIMIT_NPROC means nothing to
 * uid 0, not even to a mapped one).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

struct kind {
    enum sandbox_namespace ns;
    int clone_flag;
    const char *name;
};

static const struct kind kinds[] = {
    {SANDBOX_NS_USER, CLONE_NEWUSER, "user"}, {SANDBOX_NS_PID, CLONE_NEWPID, "pid"},
    {SANDBOX_NS_NET, CLONE_NEWNET, "net"},    {SANDBOX_NS_IPC, CLONE_NEWIPC, "ipc"},
    {SANDBOX_NS_UTS, CLONE_NEWUTS, "uts"},    {SANDBOX_NS_MNT, CLONE_NEWNS, "mnt"},
};

const char *sandbox_namespace_name(enum sandbox_namespace ns)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].ns == ns) {
            return kinds[i].name;
        }
    }
    return "unknown";
}

static int write_file(const char *path, const char *text)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int leave_user(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[64];
    int r;

    if (unshare(CLONE_NEWUSER) < 0) {
        return -errno;
    }
    snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
    r = write_file("/proc/self/uid_map", map);
    if (r < 0) {
        return r;
    }
    r = write_file("/proc/self/setgroups", "deny"); /* else gid_map is refused (3.19 and later) */
    if (r < 0) {
        return r;
    }
    snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
    return write_file("/proc/self/gid_map", map);
}

uint32_t sandbox_namespaces_leave(uint32_t wanted, int ret_errors[6])
{
    uint32_t left = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int r;

        ret_errors[i] = 0;
        if (!(wanted & kinds[i].ns)) {
            continue;
        }
        r = kinds[i].ns == SANDBOX_NS_USER     ? leave_user()
            : unshare(kinds[i].clone_flag) < 0 ? -errno
                                               : 0;
        if (r < 0) {
            ret_errors[i] = -r;
            continue;
        }
        left |= kinds[i].ns;
    }
    if (left & SANDBOX_NS_MNT) {
        /* Nothing that is mounted later, here or outside, is seen on the other side. */
        (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    }
    return left;
}

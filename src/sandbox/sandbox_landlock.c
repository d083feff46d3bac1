/*
 * Landlock: no file but the listed ones, no TCP, no signal and no abstract socket to the outside.
 *
 * Raw system calls, because neither libc nor a library wraps them, and own copies of the structs,
 * because the headers of the oldest kernel that we build on (6.1) lack their later members. The
 * kernel's ABI is asked for, and only what it knows is handled: 1 (5.13) files, 2 (5.19) renaming,
 * 3 (6.2) truncating, 4 (6.7) TCP, 5 (6.10) ioctl on devices, 6 (6.12) signals and abstract
 * sockets. Whatever is handled and has no rule is refused.
 *
 * Leaves out what Landlock leaves out: stat() by path, UDP, sockets with a path. Seccomp has those.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"

#define CREATE_RULESET_VERSION (1u << 0)
#define RULE_PATH_BENEATH      1

#define ACCESS_EXECUTE   (1ull << 0)
#define ACCESS_READ_FILE (1ull << 2)
#define ACCESS_READ_DIR  (1ull << 3)
#define ACCESS_ABI_1     ((1ull << 13) - 1)
#define ACCESS_REFER     (1ull << 13)
#define ACCESS_TRUNCATE  (1ull << 14)
#define ACCESS_IOCTL_DEV (1ull << 15)
#define ACCESS_OF_A_FILE (ACCESS_EXECUTE | ACCESS_READ_FILE)
/* Writing, removing folders and files, making folders and files. */
#define ACCESS_SCRATCH                                                                             \
    ((1ull << 1) | ACCESS_READ_FILE | ACCESS_READ_DIR | (1ull << 4) | (1ull << 5) | (1ull << 7) |  \
     (1ull << 8))
#define NET_TCP        3ull /* bind and connect */
#define SCOPE_ABSTRACT 1ull /* abstract sockets */
#define SCOPE_ALL      3ull /* and signals */

struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};

struct path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

int sandbox_landlock_abi(void)
{
    long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}

static struct ruleset_attr attr_for(int abi, bool leaves_signals, size_t *ret_size)
{
    struct ruleset_attr attr = {.handled_access_fs = ACCESS_ABI_1};

    *ret_size = offsetof(struct ruleset_attr, handled_access_net);
    if (abi >= 2) {
        attr.handled_access_fs |= ACCESS_REFER;
    }
    if (abi >= 3) {
        attr.handled_access_fs |= ACCESS_TRUNCATE;
    }
    if (abi >= 4) {
        attr.handled_access_net = NET_TCP;
        *ret_size = offsetof(struct ruleset_attr, scoped);
    }
    if (abi >= 5) {
        attr.handled_access_fs |= ACCESS_IOCTL_DEV;
    }
    if (abi >= 6) {
        attr.scoped = leaves_signals ? SCOPE_ABSTRACT : SCOPE_ALL;
        *ret_size = sizeof(attr);
    }
    return attr;
}

static int add_path(int ruleset, const struct landlock_path *path)
{
    CLEANUP(closep) int fd = open(path->path, O_PATH | O_CLOEXEC);
    struct path_beneath_attr beneath = {.parent_fd = fd};
    struct stat st;

    if (fd < 0) {
        /* Not there, or not for us: nothing is lost by leaving it forbidden. */
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
    }
    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (path->access & LANDLOCK_READ) {
        beneath.allowed_access |= ACCESS_READ_FILE | ACCESS_READ_DIR;
    }
    if (path->access & LANDLOCK_EXECUTE) {
        beneath.allowed_access |= ACCESS_EXECUTE;
    }
    if (!S_ISDIR(st.st_mode)) {
        beneath.allowed_access &= ACCESS_OF_A_FILE;
    }
    if (syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0) < 0) {
        return -errno;
    }
    return 0;
}

static int add_scratch(int ruleset, int fd, uint64_t handled)
{
    struct path_beneath_attr beneath = {
        .allowed_access = (ACCESS_SCRATCH | ACCESS_TRUNCATE) & handled,
        .parent_fd = fd,
    };

    return syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno
                                                                                        : 0;
}

int sandbox_landlock_apply(const struct landlock_rules *rules)
{
    int abi = sandbox_landlock_abi();
    CLEANUP(closep) int ruleset = -1;
    struct ruleset_attr attr;
    size_t size;
    int r;

    if (abi == 0) {
        return SANDBOX_E_ABSENT;
    }
    attr = attr_for(abi, rules && rules->leaves_signals, &size);
    ruleset = (int)syscall(__NR_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0) {
        return -errno;
    }
    for (size_t i = 0; rules && i < rules->n_paths; i++) {
        r = add_path(ruleset, &rules->paths[i]);
        if (r < 0) {
            return r;
        }
    }
    for (size_t i = 0; rules && i < rules->n_scratch; i++) {
        r = add_scratch(ruleset, rules->scratch_fd + (int)i, attr.handled_access_fs);
        if (r < 0) {
            return r;
        }
    }
    if (syscall(__NR_landlock_restrict_self, ruleset, 0) < 0) {
        return -errno;
    }
    return 0;
}

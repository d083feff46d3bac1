/*
 * A module that tries to get out. Content (or the option `load`) names an attempt; what came of it
 * is told as a finding (or as the note): the name of the errno, or "DONE" when it worked. Mostly it
 * ends with SIGSYS instead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pes/provider.h>

static long try_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_socketpair(void)
{
    int fds[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static long try_connect(void)
{
    struct sockaddr address = {.sa_family = AF_UNIX};

    return connect(0, &address, sizeof(address));
}

static long try_open_passwd(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static long try_open_proc(void)
{
    return open("/proc/self/mem", O_RDONLY);
}

static long try_list_root(void)
{
    return open("/", O_RDONLY | O_DIRECTORY);
}

static long try_open_writing(void)
{
    return open("/tmp/pes-escape", O_WRONLY | O_CREAT, 0600);
}

static long try_unlink(void)
{
    return unlink("/tmp/pes-escape");
}

static long try_fork(void)
{
    return fork();
}

static long try_clone3(void)
{
    return syscall(SYS_clone3, NULL, 88);
}

static long try_thread(void)
{
    return syscall(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, 0ul);
}

static long try_userns_clone(void)
{
    return syscall(SYS_clone, CLONE_PARENT | SIGCHLD | CLONE_NEWUSER, NULL, NULL, NULL, 0ul);
}

static long try_unshare(void)
{
    return unshare(CLONE_NEWUSER);
}

static long try_setns(void)
{
    return setns(0, 0);
}

static long try_exec(void)
{
    return execl("/bin/true", "true", NULL);
}

static long try_execveat(void)
{
    char *none[] = {NULL};

    return syscall(SYS_execveat, 3, "", none, none, AT_EMPTY_PATH);
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_vm_readv(void)
{
    return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static long try_memfd(void)
{
    return memfd_create("x", 0);
}

static long try_eventfd(void)
{
    return syscall(SYS_eventfd2, 0, 0);
}

static long try_io_uring(void)
{
    return syscall(SYS_io_uring_setup, 8, NULL);
}

static long try_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_keyctl(void)
{
    return syscall(SYS_keyctl, 0, 0, 0);
}

static long try_mount(void)
{
    return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static long try_userfaultfd(void)
{
    return syscall(SYS_userfaultfd, 0);
}

static long try_perf(void)
{
    return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long try_kill_init(void)
{
    return kill(1, SIGKILL);
}

static long try_kill_all(void)
{
    return kill(-1, SIGKILL);
}

/* The one signal call that phase 1 must leave open: Landlock and the pid namespace stop it. */
static long try_tgkill_init(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), SIGTERM);
}

static long try_setuid(void)
{
    return syscall(SYS_setuid, 0);
}

static long try_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_raise_limit(void)
{
    struct rlimit limit = {1000000, 1000000};

    return setrlimit(RLIMIT_NOFILE, &limit);
}

static long try_shm(void)
{
    return syscall(SYS_shmget, 0, 4096, 01600);
}

static long mapped(void *address)
{
    return address == MAP_FAILED ? -1 : 0;
}

static long try_shared_memory(void)
{
    return mapped(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static long try_shared_memory_later(void)
{
    void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? -1 : mprotect(at, 4096, PROT_READ | PROT_WRITE);
}

static long try_executable_memory(void)
{
    return mapped(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static long try_mprotect_executable(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? -1 : mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

/* A descriptor that should not be here: anything but 0, 1, 2, and the channel or two of ours. */
static long try_inherited_fds(void)
{
    int n = 0;

    for (int fd = 3; fd < 32; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    if (n > 1) {
        return 0;
    }
    errno = EBADF;
    return -1;
}

/* Deeper than any stack; the sum keeps the calls from becoming a loop. */
__attribute__((noinline, no_sanitize("address", "undefined"))) static long go_deeper(long n)
{
    volatile char frame[4096];

    frame[n % 4096] = (char)n;
    return n < 1000000000 ? go_deeper(n + 1) + frame[(n * 7) % 4096] : 0;
}

static long try_deep_recursion(void)
{
    return go_deeper(1);
}

/* Takes and uses memory until there is no more. */
static long try_memory(void)
{
    static char *volatile kept; /* or a compiler may leave out memory that nobody reads */
    const size_t n = 16u << 20;

    for (int i = 0; i < 4096; i++) {
        char *at = kept = malloc(n);

        if (!at) {
            errno = ENOMEM;
            return -1;
        }
        memset(at, 1, n);
        __asm__ volatile("" : : "r"(at) : "memory"); /* or a compiler may take none of it */
    }
    return 0;
}

/* Forks children of init that nobody asked for. */
static long fork_strays(int n)
{
    for (int i = 0; i < n; i++) {
        long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0ul);

        if (pid < 0) {
            return -1;
        }
        if (pid == 0) {
            for (;;) {
                poll(NULL, 0, -1);
            }
        }
    }
    return 0;
}

/* As many as it can. */
static long try_many_workers(void)
{
    return fork_strays(4096);
}

/* More than one look at the list of children shows. */
static long try_strays(void)
{
    return fork_strays(200);
}

/* ---- with scratch folders ---- */

static long try_scratch_litter(void)
{
    char path[4096] = "";
    int fd;

    for (int i = 0; i < 60; i++) {
        size_t n = strlen(path);

        snprintf(path + n, sizeof(path) - n, "%sfolder", i > 0 ? "/" : "");
        if (mkdir(path, 0700) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < 100; i++) {
        char name[64];

        snprintf(name, sizeof(name), "folder/\x1b\n file %d", i);
        fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0);
        if (fd < 0 || write(fd, "left", 4) != 4 || close(fd) < 0) {
            return -1;
        }
    }
    return 0;
}

static long try_scratch_litter_and_crash(void)
{
    return try_scratch_litter() < 0 ? -1 : raise(SIGSEGV);
}

static long try_scratch_is_empty(void)
{
    DIR *folder = opendir(".");
    long n = 0;

    if (!folder) {
        return -1;
    }
    while (readdir(folder)) {
        n++;
    }
    closedir(folder);
    errno = ENOTEMPTY;
    return n == 2 ? 0 : -1;
}

static long try_scratch_fill(void)
{
    static char block[65536];
    int fd = open("file", O_RDWR | O_CREAT, 0600);

    int number;

    while (fd >= 0 && write(fd, block, sizeof(block)) == sizeof(block)) {
    }
    number = errno;
    close(fd); /* or the bytes would stay as long as this worker */
    errno = number;
    return -1;
}

static long try_scratch_up(void)
{
    int fd = open("..", O_RDONLY | O_DIRECTORY);

    return fd < 0 ? -1 : openat(fd, "etc/passwd", O_RDONLY);
}

static long try_scratch_others(void)
{
    struct stat st;

    for (int fd = 100; fd < 110; fd++) {
        if (fd != 100 && fstat(fd, &st) == 0) {
            return 0;
        }
    }
    return -1;
}

static long try_scratch_dark_folder(void)
{
    return mkdir("dark", 0);
}

static long try_scratch_link(void)
{
    return symlink("/etc/passwd", "link");
}

static long try_scratch_executable(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0700);
    void *text;

    if (fd < 0 || write(fd, "text", 4) != 4) {
        return 0;
    }
    text = mmap(NULL, 4, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    return text == MAP_FAILED ? -1 : 0;
}

static const struct attempt {
    const char *name;
    long (*run)(void);
} attempts[] = {
    {"socket", try_socket},
    {"socketpair", try_socketpair},
    {"connect", try_connect},
    {"open-passwd", try_open_passwd},
    {"open-proc", try_open_proc},
    {"list-root", try_list_root},
    {"open-writing", try_open_writing},
    {"unlink", try_unlink},
    {"fork", try_fork},
    {"clone3", try_clone3},
    {"thread", try_thread},
    {"userns-clone", try_userns_clone},
    {"unshare", try_unshare},
    {"setns", try_setns},
    {"exec", try_exec},
    {"execveat", try_execveat},
    {"ptrace", try_ptrace},
    {"vm-readv", try_vm_readv},
    {"memfd", try_memfd},
    {"eventfd", try_eventfd},
    {"io-uring", try_io_uring},
    {"bpf", try_bpf},
    {"keyctl", try_keyctl},
    {"mount", try_mount},
    {"userfaultfd", try_userfaultfd},
    {"perf", try_perf},
    {"kill-init", try_kill_init},
    {"kill-all", try_kill_all},
    {"tgkill-init", try_tgkill_init},
    {"setuid", try_setuid},
    {"dumpable", try_dumpable},
    {"raise-limit", try_raise_limit},
    {"shm", try_shm},
    {"shared-memory", try_shared_memory},
    {"shared-memory-later", try_shared_memory_later},
    {"executable-memory", try_executable_memory},
    {"mprotect-executable", try_mprotect_executable},
    {"deep-recursion", try_deep_recursion},
    {"memory", try_memory},
    {"many-workers", try_many_workers},
    {"strays", try_strays},
    {"inherited-fds", try_inherited_fds},
    {"scratch-litter", try_scratch_litter},
    {"scratch-litter-and-crash", try_scratch_litter_and_crash},
    {"scratch-is-empty", try_scratch_is_empty},
    {"scratch-fill", try_scratch_fill},
    {"scratch-up", try_scratch_up},
    {"scratch-others", try_scratch_others},
    {"scratch-dark-folder", try_scratch_dark_folder},
    {"scratch-link", try_scratch_link},
    {"scratch-executable", try_scratch_executable},
};

/* "open-writing:PATH" and "unlink:PATH": of a file that everybody may write. */
static const char *run_path_attempt(const char *name, size_t n_name)
{
    char path[256];
    long r;

    if (n_name > 13 && memcmp(name, "open-writing:", 13) == 0) {
        snprintf(path, sizeof(path), "%.*s", (int)n_name - 13, name + 13);
        r = open(path, O_WRONLY | O_CREAT, 0600);
    } else if (n_name > 7 && memcmp(name, "unlink:", 7) == 0) {
        snprintf(path, sizeof(path), "%.*s", (int)n_name - 7, name + 7);
        r = unlink(path);
    } else {
        return "UNKNOWN";
    }
    return r >= 0 ? "DONE" : strerrorname_np(errno);
}

static const char *run_attempt(const char *name, size_t n_name)
{
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strlen(attempts[i].name) == n_name && memcmp(attempts[i].name, name, n_name) == 0) {
            return attempts[i].run() >= 0 ? "DONE" : strerrorname_np(errno);
        }
    }
    return run_path_attempt(name, n_name);
}

static int load(struct pes_load *context, void **ret_state)
{
    const char *name = pes_load_option(context, "load");
    const char *fails = pes_load_option(context, "fail");
    const char *sample = pes_load_option(context, "sample");

    if (fails) {
        pes_load_fail(context, "rules.yar:3: %s", fails);
        return -1;
    }
    if (pes_load_option(context, "needs-scratch") && !pes_load_scratch(context)) {
        pes_load_fail(context, "no folder for temporary files");
        return -1;
    }
    if (name) {
        pes_load_note(context, "%s", run_attempt(name, strlen(name)));
    }
    if (pes_load_option(context, "crash")) {
        raise(SIGSEGV);
    }
    *ret_state = (void *)(uintptr_t)(sample ? sample : "");
    pes_load_version(context, "1");
    return 0;
}

static int scan(void *state, struct pes_scan *context)
{
    size_t n_bytes;
    const uint8_t *bytes = pes_scan_bytes(context, &n_bytes);
    struct pes_found found = {.size_bytes = sizeof(found), .verdict = PES_VERDICT_SUSPICIOUS};

    pes_scan_coverage(context, PES_COVERAGE_FULL, n_bytes);
    if (n_bytes == 5 && memcmp(bytes, "crash", 5) == 0) {
        raise(SIGFPE);
    }
    found.detection = run_attempt((const char *)bytes, n_bytes);
    if (strcmp(found.detection, "UNKNOWN") != 0) {
        pes_scan_find(context, &found);
    }
    return 0;
}

static size_t samples(void *state, const struct pes_sample **ret_samples)
{
    static const struct pes_sample wrong[] = {
        {PES_KIND_GENERIC, PES_VERDICT_MALICIOUS, "clone3", 6},
        {PES_KIND_GENERIC, PES_VERDICT_SUSPICIOUS, "crash", 5},
    };

    *ret_samples = strcmp(state, "crash") == 0 ? &wrong[1] : &wrong[0];
    return strcmp(state, "") == 0 ? 0 : 1;
}

static const char *const kinds[] = {"generic", "script.*", NULL};

const struct pes_provider *pes_provider_v1(void)
{
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "escape",
        .version = "1",
        .kinds = kinds,
        .load = load,
        .scan = scan,
        .samples = samples,
    };

    return &provider;
}

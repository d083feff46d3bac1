/*
 * Runs pes-verify for one package and reads its record.
 *
 * The caller waits: it is about to start this provider or to install it, and has nothing to do
 * before it knows. A time limit holds, after which the child is killed; its end is always awaited,
 * so that no zombie is left. The child gets its four descriptors and /dev/null, an empty
 * environment, and in a system service a user that owns nothing.
 */
#include "package/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define FIRST_FREE_FD 16 /* above all that the child is given */

static int move_up(int *fd)
{
    int r = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

    *fd = r;
    return r < 0 ? -errno : 0;
}

/* Between fork and exec: only calls that are safe there. */
static void become_verify(const struct inspect *inspect, int record)
{
    static char *const no_environment[] = {NULL};
    char name[] = "pes-verify";
    char *argv[] = {name, NULL};
    int fds[] = {inspect->package, inspect->signature, inspect->keys, record};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    if (null < 0 || move_up(&null) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (move_up(&fds[i]) < 0) {
            return;
        }
    }
    for (int i = 0; i < 2; i++) { /* standard error stays: a sanitizer's report goes there */
        if (dup2(null, i) < 0) {
            return;
        }
    }
    for (int i = 0; i < (int)(sizeof(fds) / sizeof(fds[0])); i++) {
        if (dup2(fds[i], VERIFY_PACKAGE_FD + i) < 0) {
            return;
        }
    }
    if (syscall(SYS_close_range, (unsigned int)VERIFY_RECORD_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) <
        0) {
        return;
    }
    if (inspect->uid != 0 &&
        (setgroups(0, NULL) < 0 || setresgid(inspect->uid, inspect->uid, inspect->uid) < 0 ||
         setresuid(inspect->uid, inspect->uid, inspect->uid) < 0)) {
        return;
    }
    execve(inspect->program, argv, no_environment);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int read_record(int fd, struct package_record *ret)
{
    int64_t until = now_ms() + INSPECT_TIMEOUT_MS;
    size_t done = 0;

    while (done < sizeof(*ret)) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = until - now_ms();
        int r = poll(&wait, 1, left > 0 ? (int)left : 0);
        ssize_t n;

        if (r < 0 && errno != EINTR) {
            return -errno;
        }
        if (r == 0) {
            return -ETIMEDOUT;
        }
        n = r < 0 ? -1 : read(fd, (char *)ret + done, sizeof(*ret) - done);
        if (n == 0) {
            return -EPIPE;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* As its own user, who may signal it without CAP_KILL (which the service's unit takes away). */
static void kill_as(uid_t uid, pid_t pid)
{
    uid_t self = geteuid();

    if (seteuid(uid) < 0) {
        return;
    }
    (void)kill(pid, SIGKILL);
    if (seteuid(self) < 0) {
        abort(); /* it may always; to go on as somebody else would be worse than to end */
    }
}

static void end(const struct inspect *inspect, pid_t pid)
{
    pid_t r;

    /* Not reaped yet: the pid is still its own. */
    if (kill(pid, SIGKILL) < 0 && inspect->uid != 0) {
        kill_as(inspect->uid, pid);
    }
    do {
        r = waitpid(pid, NULL, 0);
    } while (r < 0 && errno == EINTR);
}

int inspect_run(const struct inspect *inspect, struct package_record *ret,
                char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(closep) int read_end = -1;
    CLEANUP(closep) int write_end = -1;
    int pipes[2];
    pid_t pid;
    int r;

    if (pipe2(pipes, O_CLOEXEC) < 0) {
        r = -errno;
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "pes-verify: no pipe: %s", strerror(-r));
        return r;
    }
    read_end = pipes[0];
    write_end = pipes[1];
    pid = fork();
    if (pid == 0) {
        become_verify(inspect, write_end);
        _exit(127);
    }
    r = pid < 0 ? -errno : 0;
    close(TAKE_FD(write_end));
    if (r == 0) {
        r = read_record(read_end, ret);
        end(inspect, pid);
    }
    if (r == 0 && !record_is_sane(ret, inspect->n_package)) {
        r = -EPROTO;
    }
    if (r < 0) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                 "pes-verify, which checks signatures, did not answer: %s", strerror(-r));
    }
    return r;
}

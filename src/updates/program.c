/*
 * Runs curl or freshclam.
 *
 * What the program reads from the network may take it over: it has no right that we don't have, is
 * told its limits by the kernel, and all it says is kept as a short text that whoever shows it
 * makes safe. It dies with us, and its children with it.
 */
#include "updates/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between exec and what it says: an exit status that no shell gives another meaning. */
#define NOT_RUN 127

__attribute__((noreturn)) static void become(char *const argv[], int output, int message,
                                             uint64_t file_bytes_max)
{
    const struct rlimit limit = {.rlim_cur = file_bytes_max, .rlim_max = file_bytes_max};
    const struct rlimit no_core = {0};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    /* A write beyond the limit is an error that it can tell, and no signal. */
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(message, 2) < 0 ||
        setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        setrlimit(RLIMIT_FSIZE, &limit) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0 ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR) {
        _exit(NOT_RUN);
    }
    execvp(argv[0], argv);
    dprintf(2, "it cannot be run: %s\n", strerror(errno));
    _exit(NOT_RUN);
}

/* The beginning of what was written. */
static void read_text(int fd, char ret_text[PROGRAM_TEXT_BYTES])
{
    ssize_t n = pread(fd, ret_text, PROGRAM_TEXT_BYTES - 1, 0);

    n = n > 0 ? n : 0;
    while (n > 0 && ret_text[n - 1] == '\n') {
        n--;
    }
    ret_text[n] = '\0';
}

/* Waits until it has ended, or ends it. */
static int await(pid_t pid, uint64_t timeout_ms, int *ret_status)
{
    CLEANUP(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    int n = pidfd < 0 ? -1 : poll(&poll_fd, 1, (int)timeout_ms);
    int status = 0;

    if (n != 1) {
        (void)kill(pid, SIGKILL);
    }
    (void)kill(-pid, SIGKILL); /* what it left behind; it is not reaped yet, so the number is its */
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return n == 1 ? 0 : -ETIME;
}

int program_run(struct program_result *ret, char *const argv[], uint64_t file_bytes_max,
                uint64_t timeout_ms)
{
    CLEANUP(closep) int output = memfd_create("output", MFD_CLOEXEC);
    CLEANUP(closep) int message = memfd_create("message", MFD_CLOEXEC);
    pid_t pid;
    int r;

    *ret = (struct program_result){0};
    if (output < 0 || message < 0) {
        return -errno;
    }
    pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        become(argv, output, message, file_bytes_max);
    }
    r = await(pid, timeout_ms, &ret->status);
    read_text(output, ret->output);
    read_text(message, ret->message);
    return r;
}

/*
 * ask_fixed: an application that connects, shuts itself in, and then asks over that connection.
 *
 *   ask_fixed [CALL...]
 *
 * After pes_connect() it keeps the system calls of the list below and no other: any other ends it
 * with SIGSYS. A CALL is one that it goes without though it is in the list, to see that the filter
 * is there. Asks about each line that it reads; a line "largeTEXT" makes it a megabyte that begins
 * with TEXT. Says per answer: how the content was taken, error, verdict, coverage, and the error in
 * words.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pes/pes.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp_numbers.h"

#define TIMEOUT_MS 10000
#define LARGE      1048576u

#define CALL(name)                                                                                 \
    {                                                                                              \
#name,                                                                                     \
        {                                                                                          \
            .number = __NR_##name                                                                  \
        }                                                                                          \
    }
static const struct {
    const char *name;
    struct seccomp_rule rule;
} calls[] = {
    /* libpes; docs/sandboxed-callers.md lists the same, and a test compares */
    CALL(sendmsg),
    CALL(recvmsg),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(fcntl),
    CALL(newfstatat),
    CALL(pwrite64),
    CALL(mmap),
    CALL(munmap),
    CALL(close),
    CALL(getpid),
    CALL(clock_gettime),
    /* what this program itself and its C library do */
    CALL(brk),
    CALL(read),
    CALL(write),
    CALL(futex),
    CALL(exit_group),
    /* sanitizers */
    CALL(mprotect),
    CALL(madvise),
    CALL(rt_sigprocmask),
    CALL(sigaltstack),
    CALL(gettid),
    CALL(sched_yield),
    CALL(readlink),
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static bool is_named(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(name, argv[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int shut_in(int argc, char **argv)
{
    static struct seccomp_rule rules[N_CALLS];
    static struct sock_filter code[SECCOMP_PROGRAM_MAX];
    struct seccomp_profile profile = {"ask_fixed", {{rules, 0}}};
    struct sock_fprog program = {.filter = code};
    size_t n;

    for (size_t i = 0; i < N_CALLS; i++) {
        if (!is_named(calls[i].name, argc, argv)) {
            rules[profile.tables[0].n_rules++] = calls[i].rule;
        }
    }
    if (seccomp_filter_build(&profile, code, SECCOMP_PROGRAM_MAX, &n) < 0 ||
        sandbox_no_new_privs() < 0) {
        return -1;
    }
    program.len = (unsigned short)n;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void ask(struct pes_ctx *ctx, const char *line)
{
    static char large[LARGE];
    struct pes_request *request = pes_request_new(ctx, PES_KIND_GENERIC);
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    struct pes_answer *answer;
    int r;

    if (strncmp(line, "large", 5) == 0) {
        memset(large, ' ', sizeof(large));
        memcpy(large, line + 5, strlen(line + 5));
        r = pes_request_bytes(request, large, sizeof(large));
    } else {
        r = pes_request_bytes(request, line, strlen(line));
    }
    pes_request_timeout_ms(request, TIMEOUT_MS);
    answer = pes_ask(request);
    pes_answer_info(answer, &info);
    printf("%d %d %s %s %s\n", r, info.error, pes_verdict_name(info.verdict),
           pes_coverage_name(info.coverage), info.error ? pes_error_text(info.error) : "-");
    fflush(stdout);
    pes_answer_close(answer, PES_DID_RUN);
}

int main(int argc, char **argv)
{
    static char line[4096];
    int fd = pes_connect();
    struct pes_ctx *ctx;

    if (fd < 0) {
        printf("%d\n", fd);
        return 1;
    }
    ctx = pes_open_fd(fd, "ask_fixed", "1", PES_CAN_STOP);
    if (!ctx || shut_in(argc, argv) < 0) {
        return 2;
    }
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        ask(ctx, line);
    }
    fflush(stdout);
    _exit(0); /* a sanitizer's look for leaks would need more calls than we have */
}

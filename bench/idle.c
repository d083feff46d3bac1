/*
 * Clients that are connected and do nothing.
 *
 * A user may have 4,096 connections at most, so ten thousand clients are those of several users:
 * started by root, each process takes a user of its own.
 */
#include "idle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pes/pes.h>

#include "side.h"

#define PER_PROCESS   3500u
#define PROCESSES_MAX 16u
#define FILES_EACH    4u /* descriptors of a context, at most */
#define FIRST_UID     60001u
#define CONTENT       "# an idle client's only question, whose number is %05zu\n"

struct idle {
    pid_t pids[PROCESSES_MAX];
    size_t n_pids;
    int hold; /* its end lets them go */
};

static void client_open(size_t serial)
{
    struct pes_ctx *ctx = pes_open("pes-bench-idle", PES_VERSION, 0);
    struct pes_request *request = pes_request_new(ctx, PES_KIND_SCRIPT_SHELL);
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    struct pes_answer *answer;
    char text[128];
    int n = snprintf(text, sizeof(text), CONTENT, serial);

    if (pes_request_bytes(request, text, (size_t)n) < 0) {
        side_fail("cannot put content into a request");
    }
    answer = pes_ask(request);
    pes_answer_info(answer, &info);
    if (info.error < 0 || info.coverage != PES_COVERAGE_FULL) {
        fprintf(stderr, "bench: idle client %zu: error %d: %s\n", serial, info.error,
                pes_answer_message(answer));
        exit(1);
    }
    pes_answer_close(answer, PES_DID_RUN);
}

/* The contexts stay open until the process ends. */
static void process_run(size_t index, size_t n, int ready, int hold)
{
    const rlim_t n_files = PER_PROCESS * FILES_EACH + 64;
    const struct rlimit files = {.rlim_cur = n_files, .rlim_max = n_files};
    char byte = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
        side_fail("cannot have that many descriptors; run as root");
    }
    if (geteuid() == 0 && setuid((uid_t)(FIRST_UID + index)) < 0) {
        side_fail("setuid");
    }
    for (size_t i = 0; i < n; i++) {
        client_open(index * PER_PROCESS + i);
    }
    if (write(ready, &byte, 1) != 1) {
        _exit(1);
    }
    while (read(hold, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

struct idle *idle_start(size_t n)
{
    struct idle *idle = calloc(1, sizeof(*idle));
    int hold[2], ready[2];
    char byte;

    if (!idle || pipe(hold) < 0 || pipe(ready) < 0 || n > (size_t)PER_PROCESS * PROCESSES_MAX) {
        side_fail("cannot start idle clients");
    }
    while (n > 0) {
        size_t n_here = n < PER_PROCESS ? n : PER_PROCESS;
        pid_t pid = fork();

        if (pid < 0) {
            side_fail("fork");
        }
        if (pid == 0) {
            close(hold[1]);
            close(ready[0]);
            process_run(idle->n_pids, n_here, ready[1], hold[0]);
        }
        idle->pids[idle->n_pids++] = pid;
        n -= n_here;
    }
    close(hold[0]);
    close(ready[1]);
    for (size_t i = 0; i < idle->n_pids; i++) {
        if (read(ready[0], &byte, 1) != 1) {
            side_fail("the idle clients are not all connected");
        }
    }
    close(ready[0]);
    idle->hold = hold[1];
    return idle;
}

void idle_stop(struct idle *idle)
{
    close(idle->hold);
    for (size_t i = 0; i < idle->n_pids; i++) {
        while (waitpid(idle->pids[i], NULL, 0) < 0 && errno == EINTR) {
        }
    }
    free(idle);
}

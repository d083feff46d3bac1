/*
 * Bare SEQPACKET relay.
 *
 * The least that any design with a broker can cost: the same bytes, the same number of processes
 * and hops, nothing looked at. Blocking sockets, so that one system call does each step. The answer
 * is 64 bytes, about as long as a short verdict.
 */
#include "relay.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "samples.h"

#define MESSAGE_MAX  65536
#define ANSWER_BYTES 64

static cpu_set_t all_cpus;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* The `n`th CPU that we may use, counted round. */
static int nth_cpu(int n)
{
    n %= CPU_COUNT(&all_cpus);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &all_cpus) && n-- == 0) {
            return cpu;
        }
    }
    return 0;
}

static void pin(int n)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(nth_cpu(n), &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0) {
        fail("sched_setaffinity");
    }
}

static void make_pair(int fds[2])
{
    int n_bytes = 4 * MESSAGE_MAX;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        fail("socketpair");
    }
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof(n_bytes));
    }
}

/* Passes questions from `near` to `far` and answers back, until one of them closes. */
static void run_relay(int near, int far)
{
    static char buffer[MESSAGE_MAX];

    for (;;) {
        ssize_t n = recv(near, buffer, sizeof(buffer), 0);

        if (n <= 0 || send(far, buffer, (size_t)n, MSG_NOSIGNAL) < 0) {
            _exit(0);
        }
        n = recv(far, buffer, sizeof(buffer), 0);
        if (n <= 0 || send(near, buffer, (size_t)n, MSG_NOSIGNAL) < 0) {
            _exit(0);
        }
    }
}

static void run_echo(int socket)
{
    static char buffer[MESSAGE_MAX];

    for (;;) {
        if (recv(socket, buffer, sizeof(buffer), 0) <= 0 ||
            send(socket, buffer, ANSWER_BYTES, MSG_NOSIGNAL) < 0) {
            _exit(0);
        }
    }
}

static pid_t start_process(bool is_pinned, int cpu)
{
    pid_t pid = fork();

    if (pid < 0) {
        fail("fork");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(is_pinned ? 0 : cpu);
    }
    return pid;
}

void relay_start(struct relay *relay, bool is_pinned)
{
    int near[2], far[2];

    if (sched_getaffinity(0, sizeof(all_cpus), &all_cpus) < 0) {
        fail("sched_getaffinity");
    }
    relay->is_pinned = is_pinned;
    make_pair(near);
    make_pair(far);
    relay->pids[0] = start_process(is_pinned, 1);
    if (relay->pids[0] == 0) {
        close(near[0]);
        close(far[1]);
        run_relay(near[1], far[0]);
    }
    close(near[1]);
    close(far[0]);
    relay->pids[1] = start_process(is_pinned, 2);
    if (relay->pids[1] == 0) {
        close(near[0]);
        run_echo(far[1]);
    }
    close(far[1]);
    relay->socket = near[0];
}

void relay_stop(struct relay *relay)
{
    close(relay->socket);
    for (int i = 0; i < 2; i++) {
        while (waitpid(relay->pids[i], NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

void relay_enter(const struct relay *relay)
{
    pin(0);
}

void relay_leave(void)
{
    if (sched_setaffinity(0, sizeof(all_cpus), &all_cpus) < 0) {
        fail("sched_setaffinity");
    }
}

double relay_ask(struct relay *relay, const void *bytes, size_t n_bytes)
{
    char answer[ANSWER_BYTES];
    double start = samples_now_us();

    if (send(relay->socket, bytes, n_bytes, MSG_NOSIGNAL) < 0 ||
        recv(relay->socket, answer, sizeof(answer), 0) != ANSWER_BYTES) {
        fail("relay");
    }
    return samples_now_us() - start;
}

/*
 * A worker without its sandbox, asked N times about 4 KiB, with a provider that answers at once:
 * for counting its instructions (bench/guard). Valgrind cannot run under the sandbox's filter, so
 * the two functions that confine it are replaced; everything else is the worker's own code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/worker.h"
#include "sys/packet.h"
#include "wire/codec.h"

#define CONTENT_BYTES 4096u
#define ASKS_MAX      20u

int confine_before_content(pid_t init, const struct host_options *options, uint32_t scratch,
                           int channel, int *ret_scratch_fd, const char **ret_step)
{
    *ret_scratch_fd = -1;
    return 0;
}

void confine_processor_time(uint64_t used_us, uint64_t time_us)
{
}

static int answer_at_once(void *state, struct pes_scan *scan)
{
    size_t n_bytes;

    (void)pes_scan_bytes(scan, &n_bytes);
    pes_scan_coverage(scan, PES_COVERAGE_FULL, n_bytes);
    return 0;
}

/* What bench/guard/guard must notice. */
static int answer_dearly(void *state, struct pes_scan *scan)
{
    for (volatile unsigned i = 0; i < 100; i++) {
    }
    return answer_at_once(state, scan);
}

static void fail(const char *what)
{
    fprintf(stderr, "guard: %s\n", what);
    _exit(1);
}

/* All questions are there before the worker starts: how often it has to wait is not its doing. */
static void ask(int channel, unsigned long n)
{
    static uint8_t message[WIRE_MESSAGE_BYTES_MAX];
    static uint8_t content[CONTENT_BYTES];
    static struct wire_scan scan;

    memset(content, 'x', sizeof(content));
    for (unsigned long i = 0; i < n; i++) {
        size_t n_message;

        scan = (struct wire_scan){
            .id = i + 1,
            .kind = PES_KIND_SCRIPT_SHELL,
            .schema_version = 1,
            .time_left_us = 1000000,
            .content = {.data = content, .size = sizeof(content)},
            .content_bytes = sizeof(content),
        };
        if (wire_encode(WIRE_TYPE_SCAN, &scan, message, sizeof(message), &n_message) != 0 ||
            send(channel, message, n_message, MSG_DONTWAIT) != (ssize_t)n_message) {
            fail("the questions do not fit into the socket");
        }
    }
}

static void collect(int channel, unsigned long n)
{
    static uint8_t result[WIRE_RESULT_BYTES_MAX];

    for (unsigned long i = 0; i < n; i++) {
        if (recv(channel, result, sizeof(result), 0) <= 0) {
            fail("the worker did not answer");
        }
    }
}

int main(int argc, char **argv)
{
    static struct module module = {.provider = {.scan = answer_at_once}};
    static struct host_options options;
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    int status = 1;
    int pair[2];
    pid_t pid;

    if (n < 1 || n > ASKS_MAX) {
        fputs("usage: guard_worker N [planted], N up to 20\n", stderr);
        return 2;
    }
    if (argc > 2) {
        module.provider.scan = answer_dearly;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        fail("socketpair");
    }
    ask(pair[0], n);
    pid = fork();
    if (pid < 0) {
        fail("fork");
    }
    if (pid == 0) {
        close(pair[0]);
        worker_run(&module, &options, 0, pair[1], getppid());
    }
    close(pair[1]);
    collect(pair[0], n);
    close(pair[0]);
    if (waitpid(pid, &status, 0) < 0 || status != 0) {
        fail("the worker did not end well");
    }
    return 0;
}

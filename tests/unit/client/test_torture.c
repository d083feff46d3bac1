/*
 * libpes while memory runs out and system calls fail: the n-th of all that it makes in a scenario,
 * alone or with all that follow, for every n and every errno that is to be expected (rows R13,
 * R14, E4 and E5 of the threat model).
 *
 * Whatever fails, each question has an answer, in time, and it is either the broker's or says why
 * there is none; no descriptor is left behind, and afterwards everything works.
 *
 * The calls are wrapped by the linker; those of the broker's thread pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_fixture.h"
#include "sys/clock.h"

#define TIMEOUT_MS 50
#define LATE_MS    5000 /* sanitizers, and other things that the machine does */

enum call {
    CALL_NONE,
    CALL_ALLOCATE,
    CALL_SOCKET,
    CALL_CONNECT,
    CALL_SENDMSG,
    CALL_RECVMSG,
    CALL_EPOLL_CREATE,
    CALL_EPOLL_CTL,
    CALL_EPOLL_WAIT,
    CALL_PWRITE,
    CALL_FCNTL,
    CALL_MMAP,
    N_CALLS,
};

/* What each may fail with; ends with 0. */
static const int errors[N_CALLS][6] = {
    [CALL_ALLOCATE] = {ENOMEM},
    [CALL_SOCKET] = {EMFILE, ENOMEM},
    [CALL_CONNECT] = {ECONNREFUSED, EAGAIN, ENOENT, EACCES},
    [CALL_SENDMSG] = {EAGAIN, EPIPE, ENOBUFS, EINTR, ETOOMANYREFS},
    [CALL_RECVMSG] = {EAGAIN, ECONNRESET, EINTR, ENOMEM},
    [CALL_EPOLL_CREATE] = {EMFILE, ENOMEM},
    [CALL_EPOLL_CTL] = {ENOMEM, ENOSPC},
    [CALL_EPOLL_WAIT] = {EINTR},
    [CALL_PWRITE] = {ENOSPC, EINTR, EIO},
    [CALL_FCNTL] = {EBUSY, ENOMEM},
    [CALL_MMAP] = {ENOMEM},
};

static struct {
    enum call call; /* that fails */
    int error;
    bool is_persistent;
    unsigned fails_at; /* 0: none */
    unsigned n[N_CALLS];
} torture;

static _Thread_local bool is_within; /* the application's thread, in the scenario */

static bool fails(enum call call)
{
    unsigned n;

    if (!is_within) {
        return false;
    }
    n = ++torture.n[call];
    if (call != torture.call || torture.fails_at == 0 || n < torture.fails_at ||
        (n > torture.fails_at && !torture.is_persistent)) {
        return false;
    }
    errno = torture.error;
    return true;
}

#define WRAP(call, otherwise, type, name, parameters, arguments)                                   \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(call) ? (otherwise) : __real_##name arguments;                                \
    }

WRAP(CALL_ALLOCATE, NULL, void *, malloc, (size_t n), (n))
WRAP(CALL_ALLOCATE, NULL, void *, calloc, (size_t n, size_t size), (n, size))
WRAP(CALL_ALLOCATE, NULL, void *, realloc, (void *memory, size_t n), (memory, n))
WRAP(CALL_SOCKET, -1, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(CALL_CONNECT, -1, int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
WRAP(CALL_SENDMSG, -1, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(CALL_RECVMSG, -1, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(CALL_EPOLL_CREATE, -1, int, epoll_create1, (int flags), (flags))
WRAP(CALL_EPOLL_CTL, -1, int, epoll_ctl, (int fd, int how, int about, struct epoll_event *event),
     (fd, how, about, event))
WRAP(CALL_EPOLL_WAIT, -1, int, epoll_wait, (int fd, struct epoll_event *events, int n, int wait_ms),
     (fd, events, n, wait_ms))
WRAP(CALL_PWRITE, -1, ssize_t, pwrite64, (int fd, const void *bytes, size_t n, off_t at),
     (fd, bytes, n, at))
WRAP(CALL_FCNTL, -1, int, fcntl64, (int fd, int command, long value), (fd, command, value))
WRAP(CALL_MMAP, MAP_FAILED, void *, mmap64,
     (void *at, size_t n, int access, int flags, int fd, off_t offset),
     (at, n, access, flags, fd, offset))

/* What a scenario came to. */
struct outcome {
    unsigned n_answers;
    unsigned n_wrong; /* neither the broker's answer nor an error */
    uint64_t longest_us;
};

static void take(struct outcome *outcome, struct pes_request *request)
{
    uint64_t start_us = clock_now_us();
    struct pes_answer_info info = {.size_bytes = sizeof(info)};
    struct pes_answer *answer = pes_ask(request);
    uint64_t wall_us = clock_now_us() - start_us;

    pes_answer_info(answer, &info);
    outcome->n_answers += answer != NULL;
    outcome->n_wrong += info.error == 0 && (info.verdict != PES_VERDICT_NOT_DETECTED ||
                                            info.coverage != PES_COVERAGE_FULL);
    outcome->n_wrong += info.error != 0 && info.verdict != PES_VERDICT_NONE;
    outcome->longest_us = wall_us > outcome->longest_us ? wall_us : outcome->longest_us;
    pes_answer_close(answer, PES_DID_RUN);
}

static struct pes_request *new_request(struct pes_ctx *ctx)
{
    struct pes_request *request = pes_request_new(ctx, PES_KIND_GENERIC);

    pes_request_timeout_ms(request, TIMEOUT_MS);
    return request;
}

/* Something small, something that needs memory of the broker's, and a stream. */
static struct outcome run(void)
{
    static uint8_t bytes[3 << 20];
    struct outcome outcome = {0};
    struct pes_ctx *ctx;
    struct pes_request *request;

    is_within = true;
    ctx = pes_open("torture", "1", PES_CAN_STOP);
    request = new_request(ctx);
    (void)pes_request_bytes(request, "small", 5);
    take(&outcome, request);
    request = new_request(ctx);
    (void)pes_request_bytes(request, bytes, 100000);
    take(&outcome, request);
    request = new_request(ctx);
    if (pes_request_stream(request) == 0) {
        (void)pes_stream_write(request, bytes, 5 << 19);
    }
    take(&outcome, request);
    pes_close(ctx);
    is_within = false;
    return outcome;
}

/* The broker lives for one run, since what it holds would be counted, too. */
static void run_with(struct fixture *fixture, enum call call, int error, unsigned fails_at,
                     bool is_persistent)
{
    size_t n_fds = fixture_n_fds();
    struct outcome outcome;

    fake_broker_start(&fixture->fake);
    memset(&torture, 0, sizeof(torture));
    torture.call = call;
    torture.error = error;
    torture.fails_at = fails_at;
    torture.is_persistent = is_persistent;
    outcome = run();
    fake_broker_stop(&fixture->fake);
    if (outcome.n_answers != 3 || outcome.n_wrong != 0 ||
        outcome.longest_us > (TIMEOUT_MS + LATE_MS) * UINT64_C(1000) || fixture_n_fds() != n_fds) {
        fail_msg("call %d, %s, from %u on, %s: %u answers, %u wrong, %llu us, %zu of %zu fds",
                 (int)call, strerrordesc_np(error), fails_at, is_persistent ? "all" : "one",
                 outcome.n_answers, outcome.n_wrong, (unsigned long long)outcome.longest_us,
                 fixture_n_fds(), n_fds);
    }
}

/* Fails each call of a kind in turn. */
static void fail_each(struct fixture *fixture, enum call call, bool is_persistent)
{
    unsigned n;

    run_with(fixture, CALL_NONE, 0, 0, false);
    n = torture.n[call];
    for (size_t i = 0; errors[call][i] != 0; i++) {
        if (is_persistent && errors[call][i] == EINTR) {
            continue; /* a program that is interrupted without end does nothing else */
        }
        for (unsigned at = 1; at <= n; at++) {
            run_with(fixture, call, errors[call][i], at, is_persistent);
        }
    }
    run_with(fixture, CALL_NONE, 0, 0, false);
}

static int setup(void **state)
{
    int r = fixture_setup_down(state);

    ((struct fixture *)*state)->fake.segment_bytes = 1 << 20;
    return r;
}

static void R13_E4_memory_runs_out(void **state)
{
    fail_each(*state, CALL_ALLOCATE, false);
    fail_each(*state, CALL_ALLOCATE, true);
}

static void R14_E5_one_system_call_fails(void **state)
{
    for (enum call call = CALL_SOCKET; call < N_CALLS; call++) {
        fail_each(*state, call, false);
    }
}

static void R14_E5_system_calls_fail_from_one_on(void **state)
{
    for (enum call call = CALL_SOCKET; call < N_CALLS; call++) {
        fail_each(*state, call, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(R13_E4_memory_runs_out, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(R14_E5_one_system_call_fails, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(R14_E5_system_calls_fail_from_one_on, setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

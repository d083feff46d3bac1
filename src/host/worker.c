/*
 * A worker: a fork of the zygote that answers one question at a time and knows nobody but the
 * broker's end of its channel.
 *
 * It ends when the channel closes; whatever else ends it is init's to report. It keeps nothing of a
 * question: content is unmapped and the answer emptied before the next. The broker gives a worker
 * to one uid only, so that what exploited content leaves behind in memory meets nobody else's.
 */
#include "host/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/packed_form.h"
#include "host/confine.h"
#include "host/content.h"
#include "host/scan_context.h"
#include "sandbox/sandbox.h"
#include "sys/clock.h"
#include "sys/packet.h"

#define EXIT_CONFINE  120 /* phase 2 did not work: nothing was scanned */
#define EXIT_PROTOCOL 121 /* the broker sent something that is no question */

struct worker {
    const struct module *module;
    int channel;
    int scratch_fd; /* -1: none */
    uint8_t message[WIRE_MESSAGE_BYTES_MAX];
    struct wire_frame frame;
    struct pes_scan scan;
    uint8_t result[WIRE_RESULT_BYTES_MAX];
};

static _Noreturn void end(int status, const char *why, int error)
{
    dprintf(STDERR_FILENO, "worker ends: %s: %s\n", why, strerror(-error));
    _exit(status);
}

static uint64_t cpu_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void wait_for(int channel, short events)
{
    struct pollfd pollfd = {.fd = channel, .events = events};

    while (poll(&pollfd, 1, -1) < 0 && errno == EINTR) {
    }
}

static void send_result(struct worker *worker, size_t n_bytes)
{
    int r;

    while ((r = packet_send(worker->channel, worker->result, n_bytes, -1)) == -EAGAIN) {
        wait_for(worker->channel, POLLOUT);
    }
    if (r < 0) {
        _exit(0); /* nobody is left to tell */
    }
}

/* Asked only where the answer depends on it: it costs a look at all bytes. */
static bool is_only_wrapping(const struct pes_provider *provider, const struct pes_scan *scan)
{
    return (provider->flags & PES_PROVIDER_RAW) != 0 &&
           scan->answer.coverage == PES_COVERAGE_FULL &&
           packed_form_name(scan->bytes, scan->n_bytes) != NULL;
}

static void answer(struct worker *worker, const int *fds, size_t n_fds)
{
    const struct wire_scan *question = &worker->frame.scan;
    const struct pes_provider *provider = &worker->module->provider;
    CLEANUP(content_fini) struct content content = CONTENT_INIT;
    struct pes_scan *scan = &worker->scan;
    struct answer_frame frame = {.id = question->id, .content_bytes = question->content_bytes};
    uint64_t cpu_us = cpu_now_us();
    size_t n_bytes;
    int r;

    scan->question = question;
    scan->deadline_us = clock_now_us() + question->time_left_us;
    answer_init(&scan->answer);
    r = content_open(&content, question, fds, n_fds);
    if (r < 0) {
        end(EXIT_PROTOCOL, "its content cannot be used", r);
    }
    for (size_t i = 0; i < n_fds; i++) {
        close(fds[i]);
    }
    scan->bytes = content.bytes;
    scan->n_bytes = content.n_bytes;
    confine_processor_time(cpu_us, question->time_left_us);

    frame.has_failed = provider->scan(worker->module->state, scan) != 0;

    frame.is_only_wrapping = is_only_wrapping(provider, scan);
    frame.cpu_us = cpu_now_us() - cpu_us;
    r = answer_encode(&scan->answer, &frame, worker->result, &n_bytes);
    if (r != 0) {
        end(EXIT_PROTOCOL, wire_outcome_text(r), 0);
    }
    send_result(worker, n_bytes);
    /* Nothing of a question stays, whatever the engine left lying about. */
    r = worker->scratch_fd < 0 ? 0 : sandbox_scratch_wipe(worker->scratch_fd);
    if (r < 0) {
        end(EXIT_PROTOCOL, "its scratch folder cannot be emptied", r);
    }
}

static void serve(struct worker *worker)
{
    for (;;) {
        struct wire_fault fault;
        int fds[PACKET_ROW_MAX];
        size_t n_fds;
        ssize_t n;
        int r;

        n = packet_await_row(worker->channel, worker->message, sizeof(worker->message), fds,
                             &n_fds);
        if (n == -EAGAIN) {
            wait_for(worker->channel, POLLIN);
            continue;
        }
        if (n == 0 || n == -ECONNRESET) {
            return;
        }
        if (n < 0) {
            end(EXIT_PROTOCOL, "receiving", (int)n);
        }
        r = wire_decode(&worker->frame, worker->message, (size_t)n, &fault);
        if (r != 0 || worker->frame.type != WIRE_TYPE_SCAN) {
            end(EXIT_PROTOCOL, r != 0 ? wire_outcome_text(r) : "not a question", 0);
        }
        answer(worker, fds, n_fds);
    }
}

void worker_run(const struct module *module, const struct host_options *options, uint32_t scratch,
                int channel, pid_t init)
{
    static struct worker worker; /* far too large for a stack */
    const char *step;
    int r;

    /* So that whoever looks at the processes can tell it from the zygote; only a name. */
    (void)!prctl(PR_SET_NAME, "pes-worker", 0, 0, 0);
    /* To wait where one receives spares a call for each question. If that fails, poll() does it. */
    (void)!fcntl(channel, F_SETFL, 0);
    r = confine_before_content(init, options, scratch, channel, &worker.scratch_fd, &step);
    if (r != 0) {
        end(EXIT_CONFINE, step, r < 0 ? r : -ENOSYS);
    }
    worker.module = module;
    worker.channel = channel;
    serve(&worker);
    _exit(0);
}

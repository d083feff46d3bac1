/*
 * A provider serves only after it has found what it says it finds.
 *
 * The samples are the provider's own; each goes as a question through a worker that is forked and
 * confined like any other, so that this also proves that the engine works inside. Should the worker
 * die, init adds of what. A sample travels inline: 32 KiB at most, no socket or memfd can be made
 * any more at this point.
 */
#include "host/self_test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "host/fork_worker.h"
#include "host/init_link.h"
#include "host/worker.h"
#include "sys/clock.h"
#include "sys/packet.h"
#include "wire/codec.h"
#include "wire/name_table.h"
#include "wire/names.h"

#define SAMPLE_TIME_US 10000000u

#define FAIL(text, ...) (snprintf((text), MODULE_TEXT_BYTES, __VA_ARGS__), -1)

static const char *verdict_name(uint32_t verdict)
{
    const char *name = name_of(&wire_verdict_names, verdict);

    return name ? name : "unknown";
}

static int ask(int channel, size_t number, const struct pes_sample *sample,
               char ret_text[MODULE_TEXT_BYTES])
{
    struct wire_scan scan = {
        .id = number,
        .kind = sample->kind,
        .schema_version = 1,
        .time_left_us = SAMPLE_TIME_US,
        .content = {sample->bytes, sample->n_bytes},
        .content_bytes = sample->n_bytes,
    };
    static uint8_t message[WIRE_MESSAGE_BYTES_MAX];
    size_t n_message;
    int r;

    if (sample->n_bytes > WIRE_INLINE_BYTES_MAX) {
        return FAIL(ret_text, "self-test: sample %zu has %zu bytes, the greatest is %u", number,
                    sample->n_bytes, WIRE_INLINE_BYTES_MAX);
    }
    r = wire_encode(WIRE_TYPE_SCAN, &scan, message, sizeof(message), &n_message);
    if (r != 0) {
        return FAIL(ret_text, "self-test: sample %zu: %s", number, wire_outcome_text(r));
    }
    if (packet_send(channel, message, n_message, -1) < 0) {
        return FAIL(ret_text, "self-test: the worker ended before sample %zu", number);
    }
    return 0;
}

/* Waits for the Result; `ret_frame` points into a static buffer. */
static int receive(int channel, size_t number, struct wire_frame *ret_frame,
                   char ret_text[MODULE_TEXT_BYTES])
{
    static uint8_t bytes[WIRE_RESULT_BYTES_MAX];
    struct pollfd pollfd = {.fd = channel, .events = POLLIN};
    struct wire_fault fault;
    ssize_t n;
    int r;

    do {
        r = poll(&pollfd, 1, SAMPLE_TIME_US / 1000);
    } while (r < 0 && errno == EINTR);
    if (r == 0) {
        return FAIL(ret_text, "self-test: no answer on sample %zu within %u s", number,
                    SAMPLE_TIME_US / 1000000u);
    }
    n = packet_receive(channel, bytes, sizeof(bytes));
    if (n <= 0) {
        return FAIL(ret_text, "self-test: the worker ended while scanning sample %zu", number);
    }
    r = wire_decode(ret_frame, bytes, (size_t)n, &fault);
    if (r != 0 || ret_frame->type != WIRE_TYPE_RESULT || ret_frame->result.id != number) {
        return FAIL(ret_text, "self-test: what came on sample %zu is no answer", number);
    }
    return 0;
}

static int check(const struct module *module, int channel, size_t number,
                 const struct pes_sample *sample, char ret_text[MODULE_TEXT_BYTES])
{
    const struct kind_info *kind = kind_by_number(sample->kind);
    static struct wire_frame frame;

    if (!kind || !module_takes(module, sample->kind)) {
        return FAIL(ret_text, "self-test: sample %zu is of kind %s, which is not declared", number,
                    kind ? kind->name : "unknown");
    }
    if (ask(channel, number, sample, ret_text) < 0 ||
        receive(channel, number, &frame, ret_text) < 0) {
        return -1;
    }
    if (frame.result.verdict != sample->verdict) {
        return FAIL(ret_text, "self-test: sample %zu (%s, %zu bytes): expected %s, got %s", number,
                    kind->name, sample->n_bytes, verdict_name(sample->verdict),
                    verdict_name(frame.result.verdict));
    }
    return 0;
}

int self_test_run(const struct module *module, int init_fd, int channel[2], size_t *ret_n_samples,
                  char ret_text[MODULE_TEXT_BYTES])
{
    CLEANUP(closep) int ours = channel[0];
    CLEANUP(closep) int theirs = channel[1];
    struct zygote_event trial = {.type = ZYGOTE_TRIAL};
    const struct pes_sample *samples = NULL;
    size_t n_samples = 0;
    pid_t init;
    pid_t pid;

    channel[0] = channel[1] = -1;
    if (module->provider.samples) {
        n_samples = module->provider.samples(module->state, &samples);
    }
    if (n_samples == 0) {
        *ret_n_samples = 0;
        return 0;
    }
    pid = fork_worker(&init);
    if (pid < 0) {
        return FAIL(ret_text, "self-test: no worker can be forked: errno %d", -pid);
    }
    if (pid == 0) {
        close(init_fd);
        close(ours);
        worker_run(module, theirs, init);
    }
    close(TAKE_FD(theirs));
    trial.value = pid;
    if (init_link_send(init_fd, &trial, NULL, 0) < 0) {
        return FAIL(ret_text, "init is gone");
    }
    for (size_t i = 0; i < n_samples; i++) {
        if (check(module, ours, i + 1, &samples[i], ret_text) < 0) {
            return -1;
        }
    }
    *ret_n_samples = n_samples;
    return 0;
}

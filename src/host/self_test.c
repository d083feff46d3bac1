/*
 * A provider serves only after it has found what it says it finds, and let pass what is harmless.
 *
 * The samples are the provider's own; each goes as a question through a worker that is forked and
 * confined like any other, so that this also proves that the engine works inside. Should the worker
 * die, init adds of what. A sample travels inline: 32 KiB at most, no socket or memfd can be made
 * any more at this point.
 *
 * The harmless contents and the test strings are ours. Definitions that object to many of the
 * former are broken, whoever signed them. Which of the latter are found is only reported: the
 * broker holds it against what the generation before found. All of it goes through one worker, so
 * that what breaks at the third scan breaks here.
 */
#include "host/self_test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clean_contents.h"
#include "base/test_strings.h"
#include "host/fork_worker.h"
#include "host/init_link.h"
#include "host/worker.h"
#include "sys/clock.h"
#include "sys/packet.h"
#include "wire/codec.h"
#include "wire/name_table.h"
#include "wire/names.h"

#define SAMPLE_TIME_US 10000000u

/* More than one in so many harmless contents must not be objected to. */
#define CLEAN_FLAGGED_PART 4

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

/* Whatever comes of it is written to `ret_frame`, as by receive(). */
static int put(int channel, size_t number, const struct pes_sample *sample,
               struct wire_frame *ret_frame, char ret_text[MODULE_TEXT_BYTES])
{
    int r = ask(channel, number, sample, ret_text);

    return r < 0 ? r : receive(channel, number, ret_frame, ret_text);
}

/* Who says that a beginning is enough must find each sample that is one. Any bytes may follow. */
static int check_beginning(int channel, size_t number, const struct pes_sample *sample,
                           char ret_text[MODULE_TEXT_BYTES])
{
    static uint8_t bytes[WIRE_INLINE_BYTES_MAX];
    static struct wire_frame frame;
    struct pes_sample longer = {.kind = sample->kind, .bytes = bytes, .n_bytes = sizeof(bytes)};

    memcpy(bytes, sample->bytes, sample->n_bytes);
    for (size_t i = sample->n_bytes; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i - sample->n_bytes);
    }
    if (put(channel, number, &longer, &frame, ret_text) < 0) {
        return -1;
    }
    if (!verdict_is_finding(frame.result.verdict)) {
        return FAIL(ret_text,
                    "self-test: sample %zu is not found with more behind it, though the provider "
                    "sets PES_PROVIDER_PREFIX; leave the flag out",
                    number);
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
    if (put(channel, number, sample, &frame, ret_text) < 0) {
        return -1;
    }
    if (frame.result.verdict != sample->verdict) {
        return FAIL(ret_text, "self-test: sample %zu (%s, %zu bytes): expected %s, got %s", number,
                    kind->name, sample->n_bytes, verdict_name(sample->verdict),
                    verdict_name(frame.result.verdict));
    }
    return module->provider.flags & PES_PROVIDER_PREFIX && verdict_is_finding(sample->verdict)
               ? check_beginning(channel, number, sample, ret_text)
               : 0;
}

static int check_all(const struct module *module, int channel, size_t n_samples,
                     const struct pes_sample *samples, char ret_text[MODULE_TEXT_BYTES])
{
    for (size_t i = 0; i < n_samples; i++) {
        if (check(module, channel, i + 1, &samples[i], ret_text) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Contents of ours, in turn as every kind that is taken. */
static int put_ours(const struct module *module, int channel, size_t number, const void *bytes,
                    size_t n_bytes, bool *ret_objects, char ret_text[MODULE_TEXT_BYTES])
{
    const struct pes_sample sample = {
        .kind = module->kinds[number % module->n_kinds], .bytes = bytes, .n_bytes = n_bytes};
    static struct wire_frame frame;

    if (put(channel, number, &sample, &frame, ret_text) < 0) {
        return -1;
    }
    *ret_objects = verdict_is_finding(frame.result.verdict);
    return 0;
}

static int let_pass(const struct module *module, int channel, size_t n_before,
                    struct self_test_report *report, char ret_text[MODULE_TEXT_BYTES])
{
    const char *first = NULL;

    for (size_t i = 0; i < n_clean_contents; i++) {
        const struct clean_content *content = &clean_contents[i];
        bool objects;

        if (put_ours(module, channel, n_before + i + 1, content->bytes, content->n_bytes, &objects,
                     ret_text) < 0) {
            return -1;
        }
        if (objects) {
            first = first ? first : content->name;
            report->n_clean_flagged++;
        }
    }
    if (report->n_clean_flagged * CLEAN_FLAGGED_PART > n_clean_contents) {
        return FAIL(ret_text, "self-test: it objects to %u of %zu harmless contents, first to '%s'",
                    report->n_clean_flagged, n_clean_contents, first);
    }
    return 0;
}

static int find_test_strings(const struct module *module, int channel, size_t n_before,
                             struct self_test_report *report, char ret_text[MODULE_TEXT_BYTES])
{
    for (size_t i = 0; i < N_TEST_STRINGS; i++) {
        char text[TEST_STRING_BYTES_MAX];
        size_t n = test_string_write(i, text);
        bool objects;

        if (put_ours(module, channel, n_before + i + 1, text, n, &objects, ret_text) < 0) {
            return -1;
        }
        report->test_strings |= objects ? 1u << i : 0;
    }
    return 0;
}

static int try_ours(const struct module *module, int channel, size_t n_before,
                    struct self_test_report *report, char ret_text[MODULE_TEXT_BYTES])
{
    int r = let_pass(module, channel, n_before, report, ret_text);

    return r < 0
               ? r
               : find_test_strings(module, channel, n_before + n_clean_contents, report, ret_text);
}

int self_test_run(const struct module *module, const struct host_options *options, int channel[2],
                  struct self_test_report *ret_report, char ret_text[MODULE_TEXT_BYTES])
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
    *ret_report = (struct self_test_report){.n_samples = (uint32_t)n_samples};
    if (n_samples == 0 && !options->is_on_trial) {
        return 0;
    }
    pid = fork_worker(&init);
    if (pid < 0) {
        return FAIL(ret_text, "self-test: no worker can be forked: errno %d", -pid);
    }
    if (pid == 0) {
        close(options->init_fd);
        close(ours);
        worker_run(module, options, options->n_scratch - 1, theirs, init);
    }
    close(TAKE_FD(theirs));
    trial.value = pid;
    if (init_link_send(options->init_fd, &trial, NULL, 0) < 0) {
        return FAIL(ret_text, "init is gone");
    }
    if (check_all(module, ours, n_samples, samples, ret_text) < 0) {
        return -1;
    }
    return options->is_on_trial ? try_ours(module, ours, n_samples, ret_report, ret_text) : 0;
}

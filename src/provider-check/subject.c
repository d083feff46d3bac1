/*
 * subject: the provider that is checked.
 *
 * It is asked in one slot, one question at a time, by the real pes-init and pes-host. A worker that
 * did not answer is ended here like the broker would end it, and the next question gets a new one.
 * What ended a worker is what init reaped, not what anybody claims.
 */
#include "provider-check/subject.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "base/signal_name.h"
#include "sys/clock.h"
#include "wire/name_table.h"
#include "wire/names.h"

#define SLOT             0
#define READY_TIMEOUT_MS 120000
#define SPAWN_TIMEOUT_MS 10000
#define EVENT_TIMEOUT_MS 5000
#define SMALL_BYTES      4096

static void show(char ret_text[SUBJECT_TEXT_BYTES], struct wire_bytes text)
{
    safe_text(ret_text, SUBJECT_TEXT_BYTES, text.data, text.size);
}

static void take_description(struct subject *subject, const struct wire_describe *describe)
{
    show(subject->name, describe->name);
    show(subject->version, describe->version);
    show(subject->definitions, describe->definitions);
    show(subject->note, describe->note);
    subject->n_samples = describe->n_samples;
    subject->n_kinds = describe->n_kinds;
    memcpy(subject->kinds, describe->kinds, describe->n_kinds * sizeof(describe->kinds[0]));
}

int subject_start(struct subject *subject, const struct subject_options *options,
                  char ret_reason[SUBJECT_TEXT_BYTES])
{
    static struct init_driver_event event;
    static struct wire_frame frame;
    struct init_driver_options driver = {
        .init_path = options->init_path,
        .host_path = options->host_path,
        .module_path = options->module_path,
        .name = "checked",
        .definitions = options->definitions,
        .settings = options->settings,
        .n_slots = 1,
        .memory_mib = options->memory_mib,
        .scratch_mib = options->scratch_mib,
    };
    int r;

    subject->answer_timeout_ms = options->answer_timeout_ms;
    subject->latencies_us = calloc(SUBJECT_LATENCIES_MAX, sizeof(*subject->latencies_us));
    if (!subject->latencies_us) {
        return -ENOMEM;
    }
    r = init_driver_start(&subject->driver, &driver);
    if (r < 0) {
        return r;
    }
    r = init_driver_wait_ready(&subject->driver, READY_TIMEOUT_MS, &event, &frame);
    if (r < 0) {
        return r;
    }
    if (r == INIT_DRIVER_E_TIMEOUT) {
        snprintf(ret_reason, SUBJECT_TEXT_BYTES, "it did not load within %d s",
                 READY_TIMEOUT_MS / 1000);
        return -1;
    }
    if (r != 0) {
        safe_text(ret_reason, SUBJECT_TEXT_BYTES, event.payload, strlen(event.payload));
        if (ret_reason[0] == '\0') {
            snprintf(ret_reason, SUBJECT_TEXT_BYTES, "it ended while loading and gave no reason");
        }
        return -1;
    }
    take_description(subject, &frame.describe);
    subject->is_running = true;
    return 0;
}

static void gone(struct subject *subject, struct reply *reply, const char *why)
{
    subject->is_running = false;
    subject->has_worker = false;
    reply->how = REPLY_GONE;
    snprintf(reply->reason, sizeof(reply->reason), "%s", why);
}

/* Waits for the end of this generation's worker. */
static int wait_exit(struct subject *subject, struct init_driver_event *ret_event)
{
    int r;

    do {
        r = init_driver_wait_event(&subject->driver, INIT_EXITED, SLOT, EVENT_TIMEOUT_MS,
                                   ret_event);
    } while (r == 0 && ret_event->head.generation != subject->generation);
    subject->has_worker = false;
    if (r == 0 && ret_event->head.rss_kib > subject->rss_kib_max) {
        subject->rss_kib_max = ret_event->head.rss_kib;
    }
    return r;
}

static void describe_exit(const struct init_event *exit, char ret_text[96])
{
    const char *limit = name_of(&wire_limit_names, exit->limit);

    switch ((enum init_exit_how)exit->how) {
    case INIT_EXIT_SIGNAL:
        if (exit->limit != PES_LIMIT_NONE) {
            snprintf(ret_text, 96, "died of %s (limit: %s)", signal_name(exit->value),
                     limit ? limit : "unknown");
        } else {
            snprintf(ret_text, 96, "died of %s", signal_name(exit->value));
        }
        return;
    case INIT_EXIT_STATUS:
        snprintf(ret_text, 96, "ended by itself with status %d", exit->value);
        return;
    case INIT_EXIT_NEVER:
        snprintf(ret_text, 96, "could not be forked");
        return;
    }
    snprintf(ret_text, 96, "ended in an unknown way");
}

static void lost(struct subject *subject, struct reply *reply)
{
    static struct init_driver_event event;

    if (wait_exit(subject, &event) != 0) {
        gone(subject, reply, "the whole provider ended");
        return;
    }
    subject->n_crashes++;
    reply->how = REPLY_CRASH;
    describe_exit(&event.head, reply->reason);
}

uint64_t subject_end_worker(struct subject *subject)
{
    static struct init_driver_event event;

    if (!subject->is_running || !subject->has_worker) {
        return 0;
    }
    if (init_driver_command(&subject->driver, INIT_KILL, SLOT, subject->generation) < 0 ||
        wait_exit(subject, &event) != 0) {
        subject->is_running = false;
        return 0;
    }
    return event.head.rss_kib;
}

static int worker_need(struct subject *subject)
{
    if (subject->has_worker) {
        return 0;
    }
    if (init_driver_spawn(&subject->driver, SLOT, ++subject->generation, SPAWN_TIMEOUT_MS) != 0) {
        return -1;
    }
    subject->has_worker = true;
    return 0;
}

static void take_latency(struct subject *subject, const struct question *question, uint64_t wall_us)
{
    if (question->n_bytes <= SMALL_BYTES && subject->n_latencies < SUBJECT_LATENCIES_MAX) {
        subject->latencies_us[subject->n_latencies++] =
            wall_us < UINT32_MAX ? (uint32_t)wall_us : UINT32_MAX;
    }
}

void subject_ask(struct subject *subject, const struct question *question, struct reply *ret_reply)
{
    int timeout_ms = question->timeout_ms ? question->timeout_ms : subject->answer_timeout_ms;
    static struct wire_scan scan;
    uint64_t start_us;
    int r;

    ret_reply->reason[0] = '\0';
    if (!subject->is_running || worker_need(subject) < 0) {
        gone(subject, ret_reply, "no worker can be started any more");
        return;
    }
    scan.id = ++subject->next_id;
    scan.kind = question->kind ? question->kind : subject->kinds[0];
    scan.schema_version = 1;
    scan.time_left_us = (uint64_t)timeout_ms * 1000;
    scan.content_bytes = question->n_bytes;
    scan.n_context = question->n_context;
    if (question->n_context > 0) {
        memcpy(scan.context, question->context, question->n_context * sizeof(scan.context[0]));
    }
    subject->n_questions++;
    start_us = clock_now_us();
    r = init_driver_scan(&subject->driver, SLOT, &scan, question->bytes, question->n_bytes,
                         timeout_ms, ret_reply->buffer, &ret_reply->frame);
    ret_reply->wall_us = clock_now_us() - start_us;
    switch (r) {
    case 0:
        ret_reply->how = REPLY_ANSWER;
        take_latency(subject, question, ret_reply->wall_us);
        return;
    case INIT_DRIVER_E_LOST:
        lost(subject, ret_reply);
        return;
    case INIT_DRIVER_E_TIMEOUT:
        subject->n_timeouts++;
        ret_reply->how = REPLY_TIMEOUT;
        snprintf(ret_reply->reason, sizeof(ret_reply->reason), "gave no answer within %d ms",
                 timeout_ms);
        (void)subject_end_worker(subject);
        return;
    case INIT_DRIVER_E_PROTOCOL:
        ret_reply->how = REPLY_NONSENSE;
        snprintf(ret_reply->reason, sizeof(ret_reply->reason), "sent something that is no answer");
        (void)subject_end_worker(subject);
        return;
    }
    gone(subject, ret_reply, strerror(-r));
}

void subject_fini(struct subject *subject)
{
    init_driver_fini(&subject->driver);
    free(subject->latencies_us);
    *subject = (struct subject)SUBJECT_INIT;
}

/*
 * One question, from the client's message to its one answer.
 *
 * Each provider that takes the kind gets a part, all at once. Whenever a part ends, the time since
 * the last such moment is charged to the set of providers that were missing (stats.c). The question
 * ends when all parts have, when one finding alone decides (and the client did not ask for
 * details), at its deadline, or when the client takes it back; what is unfinished then is ended and
 * says why.
 *
 * The digest of large content is computed beside the providers and can be what is waited for last.
 */
#include "broker/question.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "broker/answer.h"
#include "broker/combine.h"
#include "broker/content.h"
#include "broker/core.h"
#include "broker/early_look.h"
#include "broker/policy.h"
#include "broker/session.h"

/* An answer at the deadline must still travel: a twentieth of the time, at most 10 ms, is kept for
 * that. */
#define MARGIN_PART   20u
#define MARGIN_MAX_US UINT64_C(10000)

/* How long an application says that it has waited already is believed that far, and no further back
 * than the broker's start and a moment for connecting before the connection. */
#define WAITED_MAX_US  UINT64_C(60000000)
#define CONNECT_MAX_US UINT64_C(2000000)

/* A question travels on to workers with what was verified beside it, in one message, too. */
#define ASK_BYTES_MAX (WIRE_MESSAGE_BYTES_MAX - 2048u)

static uint64_t deadline_of(const struct core *core, const struct wire_ask *ask, uint64_t now_us)
{
    uint64_t time_us =
        ask->time_left_us ? ask->time_left_us : (uint64_t)core->default_timeout_ms * 1000u;
    uint64_t margin_us;

    time_us = time_us > CORE_MAX_TIME_US ? CORE_MAX_TIME_US : time_us;
    margin_us = time_us / MARGIN_PART;
    return now_us + time_us - (margin_us > MARGIN_MAX_US ? MARGIN_MAX_US : margin_us);
}

static uint64_t before(uint64_t at_us, uint64_t by_us)
{
    return at_us > by_us ? at_us - by_us : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t submitted_at(const struct core *core, const struct session *session,
                             const struct wire_ask *ask, uint64_t now_us)
{
    uint64_t first_us = later(before(now_us, WAITED_MAX_US), core->started_us);

    first_us = later(first_us, before(session->opened_us, CONNECT_MAX_US));
    return later(first_us, before(now_us, ask->waited_us));
}

/* Pointers of a decoded message, moved from one copy of its datagram to another. */
static void rebase(struct wire_bytes *bytes, const uint8_t *from, const uint8_t *to)
{
    if (bytes->size > 0) {
        bytes->data = to + (bytes->data - from);
    }
}

uint64_t question_content_bytes(const struct question *question)
{
    return question->content ? question->content->n_bytes : question->ask.content.size;
}

static void question_free(struct core *core, struct question *question)
{
    core_disarm(core, &question->timer);
    list_remove(&question->node);
    for (size_t i = 0; i < question->n_parts; i++) {
        question->parts[i].provider->n_parts--;
        free(question->parts[i].result);
    }
    if (question->content) {
        content_unuse(core, question->content);
    }
    quota_charge_fini(&question->charge);
    quota_charge_fini(&question->bytes_charge);
    core->n_questions--;
    free(question);
}

/* What a question may make us hold: itself, its message, and an answer of every provider. */
static uint64_t bytes_held(const struct core *core, size_t n_bytes)
{
    uint64_t n_held = sizeof(struct question) + n_bytes;

    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        n_held += core->providers[i].is_configured ? WIRE_RESULT_BYTES_MAX : 0;
    }
    return n_held;
}

/* Makes the question. Returns 0, QUOTA_E_EXCEEDED with the name of the quota, or -ENOMEM. */
static int question_new(struct core *core, struct session *session, const struct wire_ask *ask,
                        const uint8_t *bytes, size_t n_bytes, struct question **ret_question,
                        const char **ret_quota)
{
    struct question *question = calloc(1, sizeof(*question) + n_bytes);
    enum quota_kind kind = QUOTA_QUESTIONS;
    int r;

    if (!question) {
        return -ENOMEM;
    }
    r = quota_charge(&question->charge, &core->quota, session->peer.uid, QUOTA_QUESTIONS, 1);
    if (r == 0) {
        kind = QUOTA_BYTES;
        r = quota_charge(&question->bytes_charge, &core->quota, session->peer.uid, QUOTA_BYTES,
                         bytes_held(core, n_bytes));
    }
    if (r != 0) {
        quota_charge_fini(&question->charge);
        free(question);
        *ret_quota = quota_kind_name(kind);
        return r;
    }
    question->session = session;
    question->timer = (struct timer)TIMER_INIT(TIMER_QUESTION);
    question->ask = *ask;
    memcpy(question->bytes, bytes, n_bytes);
    rebase(&question->ask.content, bytes, question->bytes);
    for (size_t i = 0; i < ask->n_context; i++) {
        rebase(&question->ask.context[i].text, bytes, question->bytes);
    }
    list_append(&session->questions, &question->node);
    core->n_questions++;
    *ret_question = question;
    return 0;
}

static void fuse_key_of(const struct part *part, struct fuse_key *ret_key)
{
    const struct question *question = part->question;
    struct sha256 hash;

    *ret_key =
        (struct fuse_key){.uid = question->session->peer.uid, .provider = part->provider->index};
    memcpy(ret_key->digest, question->digest, sizeof(ret_key->digest));
    sha256_init(&hash);
    sha256_update(&hash, part->version, sizeof(part->version));
    sha256_update(&hash, part->definitions, sizeof(part->definitions));
    sha256_update(&hash, &question->ask.kind, sizeof(question->ask.kind));
    sha256_final(&hash, ret_key->build);
}

/* Whether it is answered without a worker, since it ended one before. */
static bool is_fused(const struct core *core, struct part *part, uint64_t now_us)
{
    const struct fuse_row *row;
    struct fuse_key key;

    if (core->fuse.n_rows == 0 || !part->question->has_digest) {
        return false;
    }
    fuse_key_of(part, &key);
    row = fuse_find(&core->fuse, &key, now_us);
    if (!row) {
        return false;
    }
    part->is_fused = true;
    part->signal = row->signal;
    part->exit_status = row->exit_status;
    part->limit = row->limit;
    part->status = row->limit ? PES_STATUS_RESOURCE_LIMIT : PES_STATUS_CRASHED;
    return true;
}

/* Whether the content did it: these signals come from outside, and tell nothing about it. */
static bool did_content_end_it(const struct part *part)
{
    return part->started_us != 0 &&
           (part->status == PES_STATUS_RESOURCE_LIMIT || part->status == PES_STATUS_CRASHED) &&
           (part->limit || (part->signal != SIGKILL && part->signal != SIGTERM));
}

static void blow_fuses(struct core *core, const struct question *question, uint64_t now_us)
{
    for (size_t i = 0; i < question->n_parts; i++) {
        const struct part *part = &question->parts[i];
        const struct fuse_row how = {
            .signal = part->signal, .exit_status = part->exit_status, .limit = part->limit};
        struct fuse_key key;

        if (!question->has_digest || !did_content_end_it(part)) {
            continue;
        }
        fuse_key_of(part, &key);
        fuse_blow(&core->fuse, &key, &how, now_us);
        if (provider_may_log(part->provider, now_us)) {
            action_list_log(core->actions, LOG_NOTICE, EV_CONTENT_FUSE,
                            "content of uid %u, sha256 %02x%02x%02x%02x..., ended a worker of "
                            "provider '%s' %s; for 600 s it is not given to it again",
                            key.uid, key.digest[0], key.digest[1], key.digest[2], key.digest[3],
                            part->provider->name, part->version);
        }
    }
}

struct part *question_add_part(struct core *core, struct question *question,
                               struct provider *provider, uint64_t now_us)
{
    struct part *part = &question->parts[question->n_parts++];
    const struct instance *instance = provider_serving(provider);
    uint64_t limit_us = now_us + (uint64_t)provider->timeout_ms * 1000u;

    *part = (struct part){.question = question, .provider = provider};
    provider->n_parts++;
    part->queued_us = now_us;
    part->deadline_us =
        provider->timeout_ms && limit_us < question->deadline_us ? limit_us : question->deadline_us;
    list_init(&part->node);
    if (instance) {
        memcpy(part->version, instance->version, sizeof(part->version));
        memcpy(part->definitions, instance->definitions, sizeof(part->definitions));
    }
    /* One that is about to serve for the first time is waited for: the service may have been
     * started by this very question. */
    if (question->session->is_own) {
        part->state = PART_DONE; /* or a scan could come to wait for itself */
        part->status = PES_STATUS_NOT_COMPETENT;
        part->coverage = PES_COVERAGE_NOT_EXAMINED;
        part->finished_us = now_us;
    } else if (instance && is_fused(core, part, now_us)) {
        part->state = PART_DONE;
        part->coverage = PES_COVERAGE_NOT_EXAMINED;
        part->finished_us = now_us;
    } else if (instance || provider->state == PES_PROVIDER_STATE_STARTING) {
        provider_queue(provider, part);
    } else {
        part->state = PART_DONE;
        part->status = provider_absence(provider);
        part->finished_us = now_us;
    }
    return part;
}

static uint64_t unfinished_mask(const struct question *question)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < question->n_parts; i++) {
        if (question->parts[i].state != PART_DONE) {
            mask |= UINT64_C(1) << question->parts[i].provider->index;
        }
    }
    return mask;
}

bool question_is_waiting(const struct question *question)
{
    return unfinished_mask(question) != 0;
}

/* Arms the timer for the first of its deadlines. */
void question_arm(struct core *core, struct question *question)
{
    uint64_t due_us = question->deadline_us;

    for (size_t i = 0; i < question->n_parts; i++) {
        const struct part *part = &question->parts[i];

        if (part->state != PART_DONE && part->deadline_us < due_us) {
            due_us = part->deadline_us;
        }
    }
    if (core_arm(core, &question->timer, due_us) < 0) {
        core->actions->is_broken = true; /* a question without a deadline must not be */
    }
}

static void finish(struct core *core, struct question *question, uint64_t now_us)
{
    blow_fuses(core, question, now_us);
    answer_question(core, question, now_us);
    question_free(core, question);
}

/* All that can be known is known, or will be when the digest is there. */
static void conclude(struct core *core, struct question *question, uint64_t now_us)
{
    stats_wait_change(&question->wait, 0, now_us);
    if (question->content && !question->has_digest && now_us < question->deadline_us &&
        !question->is_cancelled) {
        question->state = QUESTION_HASHING;
        question_arm(core, question);
        return;
    }
    finish(core, question, now_us);
}

/* Who never got a part cannot have been too slow with it. */
static uint32_t status_of_unstarted(const struct part *part)
{
    return provider_serving(part->provider) ? (uint32_t)PES_STATUS_OVERLOADED
                                            : provider_absence(part->provider);
}

/* The worker's time was the user's, whatever came of it. */
static void settle_share(struct core *core, struct part *part)
{
    if (part->state == PART_RUNNING) {
        share_end(&part->provider->share, part->question->session->peer.uid, part->started_us,
                  core->now_us);
    }
}

/* Marks a part as ended without an answer. */
static void end_part(struct core *core, struct part *part, uint32_t status, uint64_t now_us)
{
    if (status == PES_STATUS_TIMEOUT && !part->started_us) {
        status = status_of_unstarted(part);
    }
    settle_share(core, part);
    part->state = PART_DONE;
    part->status = status;
    part->coverage = PES_COVERAGE_NOT_EXAMINED;
    part->finished_us = now_us;
    if (status == PES_STATUS_TIMEOUT) {
        part_count(part);
        provider_count_timeout(core, part, now_us);
    }
}

/* Ends what is unfinished, for this reason. */
void question_end_parts(struct core *core, struct question *question, uint32_t status,
                        uint64_t now_us)
{
    for (size_t i = 0; i < question->n_parts; i++) {
        struct part *part = &question->parts[i];

        if (part->state == PART_DONE) {
            continue;
        }
        provider_abandon(core, part);
        end_part(core, part, status, now_us);
    }
}

static bool is_decisive(const struct core *core, const struct question *question,
                        const struct provider *provider, const struct combine_part *part)
{
    const struct policy_question policy_question = {
        .kind = question->ask.kind,
        .app = question->session->identity.exe_path,
        .fail_wish = question->ask.fail_wish,
        .can = question->session->can,
    };

    return !(question->ask.flags & PES_SCAN_WANT_DETAILS) &&
           policy_is_decisive(&core->policy, &policy_question, part, provider->mode);
}

bool question_is_decided(const struct core *core, const struct question *question)
{
    for (size_t i = 0; i < question->n_parts; i++) {
        const struct part *part = &question->parts[i];
        const struct combine_part weighed = {part->status, part->verdict, part->coverage,
                                             part->provider->is_advisory};

        if (part->state == PART_DONE && part->status == PES_STATUS_OK &&
            is_decisive(core, question, part->provider, &weighed)) {
            return true;
        }
    }
    return false;
}

bool question_could_decide(const struct core *core, const struct question *question,
                           const struct provider *provider)
{
    const struct combine_part worst = {PES_STATUS_OK, PES_VERDICT_MALICIOUS,
                                       PES_COVERAGE_PARTIAL_SIZE, provider->is_advisory};

    return is_decisive(core, question, provider, &worst);
}

/* Looks whether it has come to its end. */
static void review(struct core *core, struct question *question, uint64_t now_us)
{
    uint64_t mask = unfinished_mask(question);

    if (mask == 0) {
        conclude(core, question, now_us);
    } else if (question_is_decided(core, question)) {
        question->is_early = true;
        question_end_parts(core, question, PES_STATUS_SKIPPED_EARLY_DECISION, now_us);
        conclude(core, question, now_us);
    } else {
        stats_wait_change(&question->wait, mask, now_us);
        question_arm(core, question);
    }
}

/* Gives the question to every provider that takes its kind, at once. */
static void start(struct core *core, struct question *question, uint64_t now_us)
{
    question->state = QUESTION_RUNNING;
    if (!question->ask.has_no_content) {
        for (size_t i = 0; i < PROVIDERS_MAX; i++) {
            if (provider_takes(&core->providers[i], question->ask.kind)) {
                (void)question_add_part(core, question, &core->providers[i], now_us);
            }
        }
    }
    for (size_t i = 0; i < question->n_parts; i++) {
        if (question->parts[i].state == PART_WAITING) {
            provider_dispatch(core, question->parts[i].provider, now_us);
        }
    }
    review(core, question, now_us);
}

/* What is wrong with a question, as enum pes_error, or 0. */
static uint32_t find_fault(const struct wire_ask *ask, size_t n_bytes)
{
    bool has_inline = ask->content.size > 0, has_memory = ask->content_id != 0,
         has_none = ask->has_no_content, has_stream = ask->stream_id != 0;

    if (ask->kind == PES_KIND_NONE || has_inline + has_memory + has_none + has_stream > 1 ||
        ask->schema_version > 1) {
        return PES_E_INVALID_ARGUMENT;
    }
    if (n_bytes > ASK_BYTES_MAX) {
        return PES_E_TOO_LARGE;
    }
    for (size_t i = 0; i < ask->n_context; i++) {
        /* What the broker verifies, nobody else may claim. */
        if (ask->context[i].field >= PES_VERIFIED_UID &&
            ask->context[i].field < PES_VERIFIED_UID + 100) {
            return PES_E_INVALID_ARGUMENT;
        }
    }
    return PES_E_NONE;
}

static void use_content(struct question *question, struct content *content)
{
    question->content = content;
    content_use(content);
}

static void set_content(struct core *core, struct question *question, struct content *content,
                        uint64_t now_us)
{
    if (!content) {
        question->has_digest = !question->ask.has_no_content;
        if (question->has_digest) {
            sha256_digest(question->ask.content.data, question->ask.content.size, question->digest);
        }
        start(core, question, now_us);
        return;
    }
    use_content(question, content);
    question->has_digest = content->has_digest;
    memcpy(question->digest, content->digest, sizeof(question->digest));
    if (content->state == CONTENT_SEALED) {
        start(core, question, now_us);
    } else if (content->state == CONTENT_LENT) {
        struct action *action = action_list_add(core->actions, ACTION_CONTENT_CHECK);

        content->state = CONTENT_CHECKING;
        action->content = content->handle;
        action->n_bytes = content->n_bytes;
    }
}

/* Its content is to follow. */
static void begin_stream(struct core *core, struct question *question, struct content *row,
                         uint64_t now_us)
{
    use_content(question, row);
    question->state = QUESTION_STREAMING;
    question_stream_goes_on(core, question, now_us);
}

void question_stream_goes_on(struct core *core, struct question *question, uint64_t now_us)
{
    question->deadline_us = now_us + CORE_STREAM_TIME_US;
    question_arm(core, question);
}

/* Whoever waits begins to wait now: until here it was the client's turn. */
static void begin_waiting(struct question *question, uint64_t now_us)
{
    question->received_us = question->submitted_us = now_us;
    stats_wait_start(&question->wait, now_us);
}

uint64_t question_answer_by(const struct core *core, const struct question *question,
                            uint64_t now_us)
{
    return deadline_of(core, &question->ask, now_us);
}

void question_stream_is_whole(struct core *core, struct question *question, uint64_t now_us)
{
    early_look_end(core, question);
    begin_waiting(question, now_us);
    question->deadline_us = question_answer_by(core, question, now_us);
    question_arm(core, question);
    question->state = QUESTION_CHECKING;
    content_row_is_whole(core, question->content);
}

void question_end_stream(struct core *core, struct question *question, uint32_t error,
                         uint64_t now_us)
{
    early_look_end(core, question);
    begin_waiting(question, now_us);
    if (error == PES_E_TOO_LARGE) {
        question->is_too_large = true;
        finish(core, question, now_us);
        return;
    }
    answer_refused(core, question->session, &question->ask, error, NULL, now_us);
    question_free(core, question);
}

/* Counts an answer of a provider. */
static void count_answer(const struct part *part)
{
    struct provider_stats *stats = &part->provider->stats;

    stats->n_answers++;
    stats->n_partial += part->coverage != PES_COVERAGE_FULL;
    histogram_add(&stats->latency, part->finished_us - part->queued_us);
}

void question_decide_early(struct core *core, struct question *question, uint64_t now_us)
{
    begin_waiting(question, now_us);
    question->is_early = true;
    question_end_parts(core, question, PES_STATUS_SKIPPED_EARLY_DECISION, now_us);
    for (size_t i = 0; i < question->n_parts; i++) {
        struct part *part = &question->parts[i];

        if (part->started_us) {
            part_count(part);
        }
        if (part->status == PES_STATUS_OK) {
            count_answer(part);
        }
    }
    finish(core, question, now_us);
}

void question_ask(struct core *core, struct session *session, const struct wire_ask *ask,
                  const uint8_t *bytes, size_t n_bytes, uint64_t now_us)
{
    struct content *content = ask->content_id ? content_find(session, ask->content_id) : NULL;
    struct content *row = NULL;
    struct question *question = NULL;
    uint32_t fault = find_fault(ask, n_bytes);
    const char *quota = NULL;
    int r;

    if (ask->content_id && (!content || content->state == CONTENT_MAKING || content->row ||
                            content->n_bytes != ask->content_bytes)) {
        fault = PES_E_INVALID_ARGUMENT;
    }
    if (core->is_draining) {
        fault = PES_E_NOT_CONNECTED; /* it crossed the goaway; the client asks the next broker */
    }
    if (fault) {
        answer_refused(core, session, ask, fault, NULL, now_us);
        return;
    }
    r = question_new(core, session, ask, bytes, n_bytes, &question, &quota);
    if (r == 0 && ask->stream_id) {
        r = content_new_row(core, session, &row);
        quota = quota_kind_name(QUOTA_BYTES);
    }
    if (r != 0) {
        if (question) {
            question_free(core, question);
        }
        answer_refused(core, session, ask, r == QUOTA_E_EXCEEDED ? PES_E_QUOTA : PES_E_NO_MEMORY,
                       r == QUOTA_E_EXCEEDED ? quota : NULL, now_us);
        return;
    }
    question->received_us = now_us;
    question->submitted_us = submitted_at(core, session, ask, now_us);
    question->deadline_us = deadline_of(core, ask, now_us);
    stats_wait_start(&question->wait, question->submitted_us);
    if (row) {
        begin_stream(core, question, row, now_us);
        return;
    }
    question_arm(core, question);
    set_content(core, question, content, now_us);
}

void question_on_checked(struct core *core, struct question *question, bool is_sound,
                         uint64_t now_us)
{
    if (is_sound) {
        start(core, question, now_us);
        return;
    }
    answer_refused(core, question->session, &question->ask, PES_E_INVALID_ARGUMENT, NULL, now_us);
    question_free(core, question);
}

void question_on_hashed(struct core *core, struct question *question,
                        const uint8_t digest[SHA256_DIGEST_BYTES], uint64_t now_us)
{
    memcpy(question->digest, digest, SHA256_DIGEST_BYTES);
    question->has_digest = true;
    if (question->state == QUESTION_HASHING) {
        finish(core, question, now_us);
    }
}

void question_cancel(struct core *core, struct question *question, uint64_t now_us)
{
    if (question->state == QUESTION_STREAMING) {
        early_look_end(core, question);
        begin_waiting(question, now_us);
    }
    question->is_cancelled = true;
    question->is_early = true;
    question_end_parts(core, question, PES_STATUS_CANCELLED, now_us);
    conclude(core, question, now_us);
}

void question_drop(struct core *core, struct question *question)
{
    question_end_parts(core, question, PES_STATUS_CANCELLED, question->received_us);
    question_free(core, question);
}

void question_on_timer(struct core *core, struct question *question, uint64_t now_us)
{
    bool is_over = now_us >= question->deadline_us;

    if (is_over && question->state == QUESTION_STREAMING) {
        question_end_stream(core, question, PES_E_DEADLINE_PASSED, now_us);
        return;
    }
    if (is_over && question->state != QUESTION_RUNNING) {
        finish(core, question, now_us);
        return;
    }
    if (is_over) {
        question_end_parts(core, question, PES_STATUS_TIMEOUT, now_us);
        conclude(core, question, now_us);
        return;
    }
    for (size_t i = 0; i < question->n_parts; i++) {
        struct part *part = &question->parts[i];

        if (part->state != PART_DONE && part->deadline_us <= now_us) {
            provider_abandon(core, part);
            end_part(core, part, PES_STATUS_TIMEOUT, now_us);
        }
    }
    if (question->state == QUESTION_STREAMING) {
        question_arm(core, question);
    } else {
        review(core, question, now_us);
    }
}

void part_count(struct part *part)
{
    if (!part->is_counted) {
        part->is_counted = true;
        part->provider->stats.n_scans++;
        part->provider->stats.bytes += part->n_bytes;
    }
}

void part_finish(struct core *core, struct part *part, uint32_t status, uint64_t now_us)
{
    if (part->state == PART_WAITING) {
        list_remove(&part->node);
    }
    settle_share(core, part);
    part->state = PART_DONE;
    part->status = status;
    part->finished_us = now_us;
    if (part->coverage == PES_COVERAGE_NONE) {
        part->coverage = PES_COVERAGE_NOT_EXAMINED;
    }
    if (part->is_of_beginning) {
        early_look_on_finished(core, part, now_us);
        return;
    }
    if (status == PES_STATUS_OK) {
        count_answer(part);
    }
    review(core, part->question, now_us);
}

/*
 * One connection of a client.
 *
 * Which message may come when is a table, not code (SPEC 3). A client that breaks the protocol is
 * told why and loses its connection; it cannot do more harm than that. What it claims about itself
 * is kept apart from what identity found out, and it is not welcomed before that is known, so that
 * no question is judged by claims.
 */
#include "broker/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pes/version.h>

#include "broker/content.h"
#include "broker/core.h"
#include "broker/query.h"
#include "broker/question.h"
#include "broker/stream.h"

/* When to try again that there is room for a connection. */
#define SESSION_RETRY_AFTER_MS 1000

typedef void (*session_message_fn)(struct session *session, const struct wire_frame *frame,
                                   const uint8_t *bytes, size_t n_bytes, uint64_t now_us);

static void send_message(struct session *session, enum wire_type type, const void *message)
{
    action_list_add_message(session->core->actions, ACTION_SESSION_SEND, type, message)->session =
        session->handle;
}

/* One line about a client, unless its user has caused too many. */
__attribute__((format(printf, 4, 5))) static void log_client(struct core *core, uint32_t uid,
                                                             enum log_event_id event,
                                                             const char *format, ...)
{
    char text[512];
    uint32_t n_lost;
    va_list args;

    if (!client_log_may(&core->client_log, uid, core->now_us, &n_lost)) {
        return;
    }
    if (n_lost > 0) {
        action_list_log(core->actions, LOG_NOTICE, event,
                        "%u more lines about clients of uid %u were left out", n_lost, uid);
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    action_list_log(core->actions, LOG_NOTICE, event, "%s", text);
}

/* Refuses something; fatally, and the session is gone afterwards. */
static void refuse(struct session *session, uint32_t type, uint64_t id, uint32_t error,
                   const char *detail, bool is_fatal)
{
    const struct wire_refusal refusal = {
        .type = type, .id = id, .error = error, .detail = wire_text(detail), .is_fatal = is_fatal};

    send_message(session, WIRE_TYPE_REFUSAL, &refusal);
    if (is_fatal) {
        log_client(session->core, session->peer.uid, EV_CLIENT_REFUSED,
                   "a client of uid %u (pid %u) broke the protocol and lost its connection: %s",
                   session->peer.uid, session->peer.pid, detail);
        session_close(session, true);
    }
}

static void arm(struct session *session, uint64_t due_us)
{
    if (core_arm(session->core, &session->timer, due_us) < 0) {
        session->core->actions->is_broken = true;
    }
}

void session_touch(struct session *session, uint64_t now_us)
{
    arm(session, now_us + CORE_IDLE_TIME_US);
}

/* Refuses a connection that there is no session for: what it would say first, fatally. */
static void turn_away(struct core *core, uint32_t handle, uint32_t error, const char *detail)
{
    const struct wire_refusal refusal = {
        .type = WIRE_TYPE_HELLO,
        .error = error,
        .detail = wire_text(detail),
        .is_fatal = 1,
        .retry_after_ms = error == PES_E_QUOTA ? SESSION_RETRY_AFTER_MS : 0,
    };

    action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_REFUSAL, &refusal)
        ->session = handle;
    action_list_add(core->actions, ACTION_SESSION_CLOSE)->session = handle;
}

/* Returns 0, QUOTA_E_EXCEEDED or -ENOMEM. */
static int session_new(struct session **ret_session, struct core *core, uint32_t handle,
                       const struct event_peer *peer, uint64_t now_us)
{
    struct session *session = calloc(1, sizeof(*session));
    int r;

    if (!session) {
        return -ENOMEM;
    }
    *session = (struct session){
        .core = core,
        .handle = handle,
        .peer = *peer,
        .opened_us = now_us,
        .timer = TIMER_INIT(TIMER_SESSION),
    };
    list_init(&session->questions);
    list_init(&session->contents);
    r = quota_charge(&session->charge, &core->quota, peer->uid, QUOTA_SESSIONS, 1);
    if (r == 0) {
        r = handles_set(&core->sessions, handle, session);
    }
    if (r != 0) {
        quota_charge_fini(&session->charge);
        free(session);
        return r;
    }
    *ret_session = session;
    return 0;
}

void session_open(struct core *core, uint32_t handle, const struct event_peer *peer,
                  uint64_t now_us)
{
    struct session *session;
    int r;

    if (core->is_draining) {
        turn_away(core, handle, PES_E_NOT_CONNECTED, "the broker is ending; connect anew");
        return;
    }
    r = session_new(&session, core, handle, peer, now_us);
    if (r == QUOTA_E_EXCEEDED) {
        log_client(core, peer->uid, EV_CLIENT_QUOTA,
                   "uid %u has too many connections; another one was refused", peer->uid);
        turn_away(core, handle, PES_E_QUOTA, "connections: close one, or wait for one to end");
        return;
    }
    if (r != 0) {
        turn_away(core, handle, PES_E_NO_MEMORY, "out of memory; try later");
        return;
    }
    core->n_sessions++;
    arm(session, now_us + CORE_HELLO_TIME_US);
    action_list_add(core->actions, ACTION_IDENTIFY)->session = handle;
}

void session_close(struct session *session, bool tell)
{
    struct core *core = session->core;

    if (tell) {
        action_list_add(core->actions, ACTION_SESSION_CLOSE)->session = session->handle;
    }
    LIST_FOR_EACH (node, &session->questions) {
        question_drop(core, CONTAINER_OF(node, struct question, node));
    }
    LIST_FOR_EACH (node, &session->contents) {
        struct content *content = CONTAINER_OF(node, struct content, node);

        content_release(core, content);
    }
    core_disarm(core, &session->timer);
    handles_clear(&core->sessions, session->handle);
    quota_charge_fini(&session->charge);
    quota_charge_fini(&session->outbox_charge);
    quota_charge_fini(&session->lent_charge);
    core->n_sessions--;
    free(session);
}

/* ------------------------------------------------------------------------------------- messages */

static void welcome(struct session *session, uint64_t now_us)
{
    struct core *core = session->core;
    const struct wire_welcome message = {
        .version = WIRE_PROTOCOL_VERSION,
        .registry_version = PES_REGISTRY_VERSION,
        .broker_version = wire_text(PES_VERSION),
        .max_message_bytes = WIRE_MESSAGE_BYTES_MAX,
        .max_inline_bytes = WIRE_INLINE_BYTES_MAX,
        .max_content_bytes = core->max_content_bytes,
        .max_in_flight = core->max_in_flight,
        .mode = core->policy.mode,
        .segment_bytes = stream_segment_bytes(core->max_content_bytes),
        .done_in_ask = 1,
    };

    session->state = SESSION_OPEN;
    session->segment_bytes = message.segment_bytes;
    if (!session->identity.exe_path[0] && policy_has_app_rules(&core->policy)) {
        log_client(core, session->peer.uid, EV_CLIENT_UNKNOWN,
                   "what program of uid %u (pid %u) asks is not known (%s); the strictest rule for "
                   "a program holds for it",
                   session->peer.uid, session->peer.pid,
                   session->is_identified ? "it has ended, or is not ours to look at"
                                          : "not in time");
    }
    send_message(session, WIRE_TYPE_WELCOME, &message);
    session_touch(session, now_us);
}

static void on_hello(struct session *session, const struct wire_frame *frame, const uint8_t *bytes,
                     size_t n_bytes, uint64_t now_us)
{
    const struct wire_hello *hello = &frame->hello;
    char detail[128];

    (void)bytes;
    (void)n_bytes;
    if (hello->version_min > WIRE_PROTOCOL_VERSION || hello->version_max < WIRE_PROTOCOL_VERSION) {
        snprintf(detail, sizeof(detail),
                 "version: this broker speaks %u; update whichever is older",
                 WIRE_PROTOCOL_VERSION);
        refuse(session, WIRE_TYPE_HELLO, 0, PES_E_VERSION, detail, true);
        return;
    }
    core_copy_text(session->app_name, sizeof(session->app_name), hello->app_name);
    core_copy_text(session->app_version, sizeof(session->app_version), hello->app_version);
    session->can = hello->can;
    if (session->is_identified) {
        welcome(session, now_us);
    } else {
        session->state = SESSION_IDENTIFYING;
        arm(session, now_us + CORE_IDENTITY_TIME_US);
    }
}

/* What the application finally did about an earlier question. */
static void note_done(struct session *session, uint64_t id, uint32_t did)
{
    for (size_t i = 0; i < SESSION_MEMORY; i++) {
        uint32_t found_mask = session->memory[i].found_mask;

        if (session->memory[i].id != id || id == 0) {
            continue;
        }
        session->memory[i].id = 0;
        if (did != PES_DID_USER_OVERRODE || found_mask == 0) {
            return;
        }
        session->core->stats.n_overridden++;
        for (size_t p = 0; p < PROVIDERS_MAX; p++) {
            session->core->providers[p].stats.n_overridden += found_mask >> p & 1;
        }
        return;
    }
}

static void on_ask(struct session *session, const struct wire_frame *frame, const uint8_t *bytes,
                   size_t n_bytes, uint64_t now_us)
{
    if (frame->ask.id <= session->last_id) {
        refuse(session, WIRE_TYPE_ASK, frame->ask.id, PES_E_PROTOCOL,
               "id: must rise from question to question", true);
        return;
    }
    if (frame->ask.stream_id != 0 && frame->ask.stream_id <= session->last_stream_id) {
        refuse(session, WIRE_TYPE_ASK, frame->ask.id, PES_E_PROTOCOL,
               "stream_id: must rise from stream to stream", true);
        return;
    }
    session->last_id = frame->ask.id;
    if (frame->ask.stream_id != 0) {
        session->last_stream_id = frame->ask.stream_id;
    }
    note_done(session, frame->ask.done_id, frame->ask.did);
    question_ask(session->core, session, &frame->ask, bytes, n_bytes, now_us);
}

static void on_reserve(struct session *session, const struct wire_frame *frame,
                       const uint8_t *bytes, size_t n_bytes, uint64_t now_us)
{
    (void)bytes;
    (void)n_bytes;
    if (frame->reserve.content_id <= session->last_content_id) {
        refuse(session, WIRE_TYPE_RESERVE, frame->reserve.content_id, PES_E_PROTOCOL,
               "content_id: must rise from reservation to reservation", true);
        return;
    }
    session->last_content_id = frame->reserve.content_id;
    content_reserve(session->core, session, &frame->reserve, now_us);
}

static void on_segment(struct session *session, const struct wire_frame *frame,
                       const uint8_t *bytes, size_t n_bytes, uint64_t now_us)
{
    const struct wire_segment *segment = &frame->segment;

    (void)bytes;
    (void)n_bytes;
    if (segment->stream_id == 0 || segment->stream_id > session->last_stream_id) {
        refuse(session, WIRE_TYPE_SEGMENT, segment->stream_id, PES_E_PROTOCOL,
               "stream_id: ask with it first", true);
        return;
    }
    stream_on_segment(session->core, session, segment, now_us);
}

static void on_release(struct session *session, const struct wire_frame *frame,
                       const uint8_t *bytes, size_t n_bytes, uint64_t now_us)
{
    struct content *content = content_find(session, frame->release.content_id);

    (void)bytes;
    (void)n_bytes;
    (void)now_us;
    if (content && !content->row) { /* a stream's segment is its row's */
        content_release(session->core, content);
    }
}

static void on_cancel(struct session *session, const struct wire_frame *frame, const uint8_t *bytes,
                      size_t n_bytes, uint64_t now_us)
{
    (void)bytes;
    (void)n_bytes;
    LIST_FOR_EACH (node, &session->questions) {
        struct question *question = CONTAINER_OF(node, struct question, node);

        if (question->ask.id == frame->cancel.id) {
            question_cancel(session->core, question, now_us);
            return;
        }
    }
    /* Answered already: the two messages crossed. */
}

static void on_done(struct session *session, const struct wire_frame *frame, const uint8_t *bytes,
                    size_t n_bytes, uint64_t now_us)
{
    (void)bytes;
    (void)n_bytes;
    (void)now_us;
    note_done(session, frame->done.id, frame->done.did);
}

static void on_query(struct session *session, const struct wire_frame *frame, const uint8_t *bytes,
                     size_t n_bytes, uint64_t now_us)
{
    (void)bytes;
    (void)n_bytes;
    if (!query_answer(session->core, session, &frame->query, now_us)) {
        refuse(session, WIRE_TYPE_QUERY, frame->query.id, PES_E_NOT_IMPLEMENTED,
               "what: 1 service or 2 report", false);
    }
}

static const struct {
    enum session_state state;
    enum wire_type type;
    session_message_fn handle;
} session_table[] = {
    {SESSION_NEW, WIRE_TYPE_HELLO, on_hello},      {SESSION_OPEN, WIRE_TYPE_ASK, on_ask},
    {SESSION_OPEN, WIRE_TYPE_RESERVE, on_reserve}, {SESSION_OPEN, WIRE_TYPE_RELEASE, on_release},
    {SESSION_OPEN, WIRE_TYPE_CANCEL, on_cancel},   {SESSION_OPEN, WIRE_TYPE_DONE, on_done},
    {SESSION_OPEN, WIRE_TYPE_QUERY, on_query},     {SESSION_OPEN, WIRE_TYPE_SEGMENT, on_segment},
};

void session_on_message(struct session *session, const uint8_t *bytes, size_t n_bytes,
                        uint64_t now_us)
{
    struct wire_frame *frame = session->core->frame;
    struct wire_fault fault = {0};
    char detail[160];
    int r = wire_decode(frame, bytes, n_bytes, &fault);

    if (r == WIRE_E_UNKNOWN_TYPE && session->state == SESSION_OPEN) {
        refuse(session, fault.type, 0, PES_E_NOT_IMPLEMENTED, "type: not known to this broker",
               false);
        return;
    }
    if (r != 0) {
        snprintf(detail, sizeof(detail), "%s at byte %zu (message type %u, field %s)",
                 wire_outcome_text(r), fault.offset, fault.type, fault.field ? fault.field : "-");
        refuse(session, fault.type, 0, PES_E_PROTOCOL, detail, true);
        return;
    }
    for (size_t i = 0; i < sizeof(session_table) / sizeof(session_table[0]); i++) {
        if (session_table[i].state == session->state && session_table[i].type == frame->type) {
            if (session->state == SESSION_OPEN) {
                session_touch(session, now_us);
            }
            session_table[i].handle(session, frame, bytes, n_bytes, now_us);
            return;
        }
    }
    snprintf(detail, sizeof(detail), "message type %u is not allowed %s", (unsigned)frame->type,
             session->state == SESSION_OPEN ? "from a client" : "before welcome");
    refuse(session, frame->type, 0, PES_E_PROTOCOL, detail, true);
}

/* --------------------------------------------------------------------------------------- events */

void session_on_identity(struct session *session, const struct identity_record *record,
                         uint64_t now_us)
{
    const char *slash;

    session->identity = *record;
    session->is_identified = true;
    session->is_own = record->is_own == 1;
    if (session->is_own) {
        log_client(session->core, session->peer.uid, EV_CLIENT_OWN,
                   "one of pes's own processes asks (uid %u, pid %u); no provider is asked for it",
                   session->peer.uid, session->peer.pid);
    }
    slash = strrchr(record->exe_path, '/');
    snprintf(session->client, sizeof(session->client), "%.*s", SESSION_NAME_BYTES,
             slash ? slash + 1 : record->exe_path);
    if (session->state == SESSION_IDENTIFYING) {
        welcome(session, now_us);
    }
}

void session_on_queued(struct session *session, size_t n_bytes)
{
    struct core *core = session->core;

    if (quota_charge(&session->outbox_charge, &core->quota, session->peer.uid, QUOTA_OUTBOX,
                     n_bytes) != 0) {
        log_client(core, session->peer.uid, EV_CLIENT_QUOTA,
                   "a client of uid %u (pid %u) does not read its answers and lost its connection",
                   session->peer.uid, session->peer.pid);
        session_close(session, true);
    }
}

void session_on_flushed(struct session *session, size_t n_bytes)
{
    quota_credit(&session->outbox_charge, n_bytes);
}

void session_on_taken(struct session *session, size_t n_fds)
{
    quota_credit(&session->lent_charge, n_fds);
}

/*
 * Whether its user has little room left. Only then is an idle connection worth taking away: a
 * program that was sandboxed after it connected cannot make another one.
 */
static bool is_crowded(const struct session *session)
{
    const struct quota *quota = &session->core->quota;

    return session->charge.user->used[QUOTA_SESSIONS] > quota->limit[QUOTA_SESSIONS] / 2 ||
           session->core->n_sessions > CORE_SESSIONS_MAX / 2;
}

void session_on_timer(struct session *session, uint64_t now_us)
{
    switch (session->state) {
    case SESSION_NEW:
        refuse(session, WIRE_TYPE_HELLO, 0, PES_E_DEADLINE_PASSED,
               "no hello within 2 s of connecting", true);
        return;
    case SESSION_IDENTIFYING:
        welcome(session, now_us); /* as an unknown program, which policy is strict about */
        return;
    case SESSION_OPEN:
        if (!list_is_empty(&session->questions) || !is_crowded(session)) {
            session_touch(session, now_us);
            return;
        }
        session_close(session, true);
        return;
    }
}

void session_remember(struct session *session, uint64_t id, uint32_t found_mask)
{
    session->memory[session->next_memory].id = id;
    session->memory[session->next_memory].found_mask = found_mask;
    session->next_memory = (session->next_memory + 1) % SESSION_MEMORY;
}

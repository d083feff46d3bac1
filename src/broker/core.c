/*
 * The broker's core: dispatch of events to the things they concern, timers and handles.
 *
 * Everything is decided here and nothing is done: a step returns what it wants done as a list. An
 * event about something that no longer exists is stale and ignored; handles are not reused within
 * one step, and the shell delivers the outcomes of a step's actions before anything else.
 */
#include "broker/core.h"

#include <stdlib.h>
#include <string.h>

#include "broker/configure.h"
#include "broker/content.h"
#include "broker/instance.h"
#include "broker/question.h"
#include "broker/session.h"

#define OUTBOX_BYTES_PER_UID (UINT64_C(4) << 20)

/*
 * The kernel lets a user have as many descriptors on their way as it may have open; whoever does
 * not read reservations must not use that up. Clients together get a quarter of it.
 */
#define LENT_PER_UID UINT64_C(256)

int core_init(struct core *core, uint64_t seed, const struct core_machine *machine, uint64_t now_us)
{
    *core = (struct core){
        .policy = POLICY_INIT,
        .started_us = now_us,
        .seed = seed,
        .max_content_bytes = CORE_MAX_CONTENT_BYTES,
        .max_in_flight = 256,
        .default_timeout_ms = 5000,
        .drain_timer = TIMER_INIT(TIMER_DRAIN),
    };
    quota_init(&core->quota);
    core->quota.limit[QUOTA_OUTBOX] = OUTBOX_BYTES_PER_UID;
    core->quota.limit[QUOTA_LENT] = LENT_PER_UID;
    core->quota.total_limit[QUOTA_SESSIONS] = CORE_SESSIONS_MAX;
    core->quota.total_limit[QUOTA_BYTES] = machine->memory_bytes / 4;
    core->quota.total_limit[QUOTA_LENT] = machine->n_files / 4;
    for (uint32_t i = 0; i < PROVIDERS_MAX; i++) {
        provider_init(&core->providers[i], i);
    }
    core->frame = malloc(sizeof(*core->frame));
    core->scratch = malloc(sizeof(*core->scratch));
    core->outgoing = malloc(sizeof(*core->outgoing));
    if (!core->frame || !core->scratch || !core->outgoing) {
        core_fini(core);
        return -ENOMEM;
    }
    return 0;
}

void core_fini(struct core *core)
{
    struct action_list actions = ACTION_LIST_INIT;

    core->actions = &actions;
    for (size_t i = 1; i < core->sessions.n_items; i++) {
        if (core->sessions.items[i]) {
            session_close(core->sessions.items[i], false);
        }
    }
    for (size_t i = 1; i < core->contents.n_items; i++) {
        if (core->contents.items[i]) {
            content_free(core, core->contents.items[i]); /* one that is still being hashed */
        }
    }
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        provider_fini(&core->providers[i], core);
    }
    core_disarm(core, &core->drain_timer);
    quota_fini(&core->quota);
    heap_fini(&core->timers);
    free(core->sessions.items);
    free(core->instances.items);
    free(core->contents.items);
    free(core->frame);
    free(core->scratch);
    free(core->outgoing);
    action_list_fini(&actions);
}

/* ------------------------------------------------------------------------------ handles, timers */

int handles_set(struct handles *handles, uint32_t handle, void *item)
{
    if (handle >= handles->n_items) {
        size_t n_items = handle + 64u;
        void **items = reallocarray(handles->items, n_items, sizeof(*items));
        if (!items) {
            return -ENOMEM;
        }
        memset(items + handles->n_items, 0, (n_items - handles->n_items) * sizeof(*items));
        handles->items = items;
        handles->n_items = n_items;
    }
    handles->items[handle] = item;
    return 0;
}

void handles_clear(struct handles *handles, uint32_t handle)
{
    if (handle < handles->n_items) {
        handles->items[handle] = NULL;
    }
}

void *handles_get(const struct handles *handles, uint32_t handle)
{
    return handle < handles->n_items ? handles->items[handle] : NULL;
}

uint32_t handles_free_slot(const struct handles *handles)
{
    for (uint32_t i = 1; i < handles->n_items; i++) {
        if (!handles->items[i]) {
            return i;
        }
    }
    return handles->n_items ? (uint32_t)handles->n_items : 1;
}

int core_arm(struct core *core, struct timer *timer, uint64_t due_us)
{
    if (heap_node_is_linked(&timer->node)) {
        heap_update(&core->timers, &timer->node, due_us);
        return 0;
    }
    timer->node.key = due_us;
    return heap_push(&core->timers, &timer->node);
}

void core_disarm(struct core *core, struct timer *timer)
{
    heap_remove(&core->timers, &timer->node);
}

uint64_t core_next_deadline_us(const struct core *core)
{
    const struct heap_node *first = heap_first(&core->timers);

    return first ? first->key : UINT64_MAX;
}

struct provider *core_find_provider(struct core *core, const char *name, size_t n_name)
{
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        struct provider *provider = &core->providers[i];

        if (provider->is_used && strlen(provider->name) == n_name &&
            memcmp(provider->name, name, n_name) == 0) {
            return provider;
        }
    }
    return NULL;
}

void core_copy_text(char *buffer, size_t n_buffer, struct wire_bytes text)
{
    size_t n = text.size < n_buffer - 1 ? text.size : n_buffer - 1;

    if (n > 0) {
        memcpy(buffer, text.data, n);
    }
    buffer[n] = '\0';
}

void core_send_goaway(struct core *core, const struct session *session)
{
    const struct wire_goaway goaway = {.last_id = session->last_id};

    action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_GOAWAY, &goaway)
        ->session = session->handle;
}

/* --------------------------------------------------------------------------------------- events */

static void on_timer(struct core *core, struct timer *timer, uint64_t now_us)
{
    core_disarm(core, timer);
    switch (timer->kind) {
    case TIMER_NONE:
        return;
    case TIMER_QUESTION:
        question_on_timer(core, CONTAINER_OF(timer, struct question, timer), now_us);
        return;
    case TIMER_SESSION:
        session_on_timer(CONTAINER_OF(timer, struct session, timer), now_us);
        return;
    case TIMER_CONTENT:
        content_on_timer(core, CONTAINER_OF(timer, struct content, timer));
        return;
    case TIMER_INSTANCE:
        instance_on_timer(core, CONTAINER_OF(timer, struct instance, respawn), now_us);
        return;
    case TIMER_PROVIDER:
        provider_dispatch(core, CONTAINER_OF(timer, struct provider, kept), now_us);
        return;
    case TIMER_DRAIN:
        core->is_grace_over = true;
        return;
    }
}

static void run_timers(struct core *core, uint64_t now_us)
{
    struct heap_node *first;

    while ((first = heap_first(&core->timers)) && first->key <= now_us) {
        on_timer(core, CONTAINER_OF(first, struct timer, node), now_us);
    }
}

static void on_session_event(struct core *core, const struct event *event, uint64_t now_us)
{
    struct session *session = handles_get(&core->sessions, event->session);

    if (event->type == EVENT_SESSION_OPENED) {
        session_open(core, event->session, &event->peer, now_us);
    } else if (!session) {
        return;
    } else if (event->type == EVENT_SESSION_MESSAGE) {
        session_on_message(session, event->bytes, event->n_bytes, now_us);
    } else if (event->type == EVENT_SESSION_CLOSED) {
        session_close(session, false);
    } else if (event->type == EVENT_SESSION_QUEUED) {
        session_on_queued(session, event->n_bytes);
    } else if (event->type == EVENT_SESSION_FLUSHED) {
        session_on_flushed(session, event->n_bytes);
    } else if (event->type == EVENT_SESSION_TAKEN) {
        session_on_taken(session, event->n_fds);
    } else {
        session_on_identity(session, event->identity, now_us);
    }
}

static void on_content_event(struct core *core, const struct event *event, uint64_t now_us)
{
    struct content *content = handles_get(&core->contents, event->content);

    if (!content) {
        return;
    }
    if (event->type == EVENT_CONTENT_MADE) {
        content_on_made(core, content, event->error, now_us);
    } else if (event->type == EVENT_CONTENT_CHECKED) {
        content_on_checked(core, content, event->error, now_us);
    } else {
        content_on_hashed(core, content, event->digest, now_us);
    }
}

static void on_instance_event(struct core *core, const struct event *event, uint64_t now_us)
{
    struct instance *instance = handles_get(&core->instances, event->instance);

    if (!instance) {
        return;
    }
    if (event->type == EVENT_WORKER_MESSAGE) {
        instance_on_worker_message(core, instance, event, now_us);
    } else if (event->type == EVENT_WORKER_CLOSED) {
        instance_on_worker_closed(core, instance, event);
    } else if (event->type == EVENT_INIT) {
        instance_on_init(core, instance, event, now_us);
    } else {
        instance_on_init_closed(core, instance, now_us);
    }
}

static void on_event(struct core *core, const struct event *event, uint64_t now_us)
{
    switch (event->type) {
    case EVENT_SESSION_OPENED:
    case EVENT_SESSION_MESSAGE:
    case EVENT_SESSION_CLOSED:
    case EVENT_SESSION_QUEUED:
    case EVENT_SESSION_FLUSHED:
    case EVENT_SESSION_TAKEN:
    case EVENT_IDENTITY:
        on_session_event(core, event, now_us);
        return;
    case EVENT_CONTENT_MADE:
    case EVENT_CONTENT_CHECKED:
    case EVENT_CONTENT_HASHED:
        on_content_event(core, event, now_us);
        return;
    case EVENT_WORKER_MESSAGE:
    case EVENT_WORKER_CLOSED:
    case EVENT_INIT:
    case EVENT_INIT_CLOSED:
        on_instance_event(core, event, now_us);
        return;
    case EVENT_LAUNCHER:
        configure_on_message(core, event, now_us);
        return;
    case EVENT_TIMER:
        return; /* timers run before every event */
    }
}

/* Whether every question is answered and every answer out of our hands, or time is up. */
static bool is_drained(const struct core *core)
{
    return core->is_draining && (core->is_grace_over ||
                                 (core->n_questions == 0 && core->quota.total[QUOTA_OUTBOX] == 0));
}

void core_step(struct core *core, const struct event *event, uint64_t now_us,
               struct action_list *actions)
{
    action_list_reset(actions);
    core->actions = actions;
    core->now_us = now_us;
    run_timers(core, now_us);
    on_event(core, event, now_us);
    configure_review_readiness(core);
    if (is_drained(core)) {
        action_list_add(actions, ACTION_EXIT);
    }
}

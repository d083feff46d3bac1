/*
 * Memory that was lent to a client.
 *
 * The broker makes it, of the asked size and sealed against growing and shrinking; the client fills
 * it, seals it against writing and refers to it in a question. From then on it cannot change, and
 * only then is it looked at. It is charged from the reservation on, and taken back when it is not
 * used for half a minute. Its descriptor is charged apart, until the client is known to have it:
 * released or not, it is in the socket until then.
 */
#include "broker/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core.h"
#include "broker/question.h"
#include "broker/session.h"
#include "broker/stream.h"

/* Every content takes a descriptor, which is scarcer than memory: each counts as at least this. */
#define CHARGED_BYTES_MIN (UINT64_C(512) << 10)

static void refuse(struct core *core, struct session *session, uint64_t id, uint32_t error,
                   const char *detail)
{
    const struct wire_refusal refusal = {
        .type = WIRE_TYPE_RESERVE,
        .id = id,
        .error = error,
        .detail = wire_text(detail),
        .retry_after_ms = error == PES_E_QUOTA ? 100 : 0,
    };

    action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_REFUSAL, &refusal)
        ->session = session->handle;
}

void content_free(struct core *core, struct content *content)
{
    struct content *row = content->row;

    if (content->has_memory) {
        action_list_add(core->actions, ACTION_CONTENT_FREE)->content = content->handle;
    }
    core_disarm(core, &content->timer);
    handles_clear(&core->contents, content->handle);
    core->content_bytes -= content->n_bytes;
    quota_charge_fini(&content->charge);
    list_remove(&content->node);
    free(content);
    if (row) {
        content_unuse(core, row);
    }
}

int content_new_row(struct core *core, struct session *session, struct content **ret_row)
{
    struct content *row = calloc(1, sizeof(*row));
    int r;

    if (!row) {
        return -ENOMEM;
    }
    *row = (struct content){
        .session = session,
        .handle = handles_free_slot(&core->contents),
        .state = CONTENT_OPEN,
        .segment_bytes = session->segment_bytes,
        .is_released = true, /* the client has no number for it */
        .timer = TIMER_INIT(TIMER_CONTENT),
    };
    list_init(&row->node);
    r = quota_charge(&row->charge, &core->quota, session->peer.uid, QUOTA_BYTES, 0);
    if (r == 0) {
        r = handles_set(&core->contents, row->handle, row);
    }
    if (r != 0) {
        quota_charge_fini(&row->charge);
        free(row);
        return r;
    }
    *ret_row = row;
    return 0;
}

static int content_new(struct core *core, struct session *session, uint64_t id, uint64_t n_bytes)
{
    struct content *content = calloc(1, sizeof(*content));
    struct action *action;
    int r;

    if (!content) {
        return -ENOMEM;
    }
    *content = (struct content){
        .session = session,
        .handle = handles_free_slot(&core->contents),
        .id = id,
        .n_bytes = n_bytes,
        .timer = TIMER_INIT(TIMER_CONTENT),
    };
    list_init(&content->node);
    r = quota_charge(&content->charge, &core->quota, session->peer.uid, QUOTA_BYTES,
                     n_bytes > CHARGED_BYTES_MIN ? n_bytes : CHARGED_BYTES_MIN);
    if (r == 0) {
        r = handles_set(&core->contents, content->handle, content);
    }
    if (r == 0) {
        r = quota_charge(&session->lent_charge, &core->quota, session->peer.uid, QUOTA_LENT, 1);
    }
    if (r != 0) {
        handles_clear(&core->contents, content->handle);
        quota_charge_fini(&content->charge);
        free(content);
        return r;
    }
    core->content_bytes += n_bytes;
    list_append(&session->contents, &content->node);
    content->has_memory = true;
    action = action_list_add(core->actions, ACTION_CONTENT_MAKE);
    action->content = content->handle;
    action->n_bytes = n_bytes;
    return 0;
}

void content_reserve(struct core *core, struct session *session, const struct wire_reserve *reserve,
                     uint64_t now_us)
{
    int r;

    (void)now_us;
    if (core->is_draining) {
        refuse(core, session, reserve->content_id, PES_E_NOT_CONNECTED,
               "the broker is ending; connect anew");
        return;
    }
    if (reserve->bytes == 0) {
        refuse(core, session, reserve->content_id, PES_E_INVALID_ARGUMENT,
               "bytes: must be at least 1; send it inline");
        return;
    }
    if (reserve->bytes > core->max_content_bytes) {
        refuse(core, session, reserve->content_id, PES_E_TOO_LARGE,
               "bytes: more than max_content_bytes of welcome");
        return;
    }
    r = content_new(core, session, reserve->content_id, reserve->bytes);
    if (r == QUOTA_E_EXCEEDED) {
        refuse(core, session, reserve->content_id, PES_E_QUOTA,
               "bytes: read what is reserved, release other content or wait for answers");
    } else if (r < 0) {
        refuse(core, session, reserve->content_id, PES_E_NO_MEMORY, "bytes: out of memory");
    }
}

struct content *content_find(struct session *session, uint64_t id)
{
    LIST_FOR_EACH (node, &session->contents) {
        struct content *content = CONTAINER_OF(node, struct content, node);

        if (content->id == id) {
            return content;
        }
    }
    return NULL;
}

void content_release(struct core *core, struct content *content)
{
    content->is_released = true;
    list_remove(&content->node); /* its id is unknown from here on */
    if (content->n_users == 0 && content->state != CONTENT_MAKING && !content->is_hashing) {
        content_free(core, content);
    }
}

void content_use(struct content *content)
{
    content->n_users++;
}

void content_unuse(struct core *core, struct content *content)
{
    content->n_users--;
    if (content->is_released && content->n_users == 0 && !content->is_hashing) {
        content_free(core, content);
    }
}

void content_on_made(struct core *core, struct content *content, int error, uint64_t now_us)
{
    const struct wire_reserved reserved = {.content_id = content->id};
    struct action *action;

    content->state = CONTENT_LENT;
    if (content->is_released) {
        content_free(core, content); /* its session closed meanwhile */
        return;
    }
    if (error < 0 || core_arm(core, &content->timer, now_us + CORE_RESERVATION_TIME_US) < 0) {
        quota_credit(&content->session->lent_charge, 1);
        refuse(core, content->session, content->id, PES_E_NO_MEMORY,
               "bytes: no memory or descriptors left; try later");
        content_free(core, content);
        return;
    }
    action =
        action_list_add_message(core->actions, ACTION_SESSION_SEND, WIRE_TYPE_RESERVED, &reserved);
    action->session = content->session->handle;
    action->content = content->handle;
}

/* Calls `fn` for each question that uses the content; `fn` may free the question. */
static void for_each_user(struct core *core, struct content *content, uint64_t now_us,
                          const uint8_t *digest, bool is_sound)
{
    LIST_FOR_EACH (node, &content->session->questions) {
        struct question *question = CONTAINER_OF(node, struct question, node);

        if (question->content != content) {
            continue;
        }
        if (digest) {
            question_on_hashed(core, question, digest, now_us);
        } else if (question->state == QUESTION_CHECKING) {
            question_on_checked(core, question, is_sound, now_us);
        }
    }
}

uint64_t content_beginning_bytes(const struct content *row)
{
    return row->n_joined * row->segment_bytes;
}

/* Has the digest computed of what can no longer change. */
static void hash(struct core *core, struct content *content)
{
    struct action *action = action_list_add(core->actions, ACTION_CONTENT_HASH);

    action->content = content->handle;
    action->n_bytes = content->n_bytes;
}

void content_row_is_whole(struct core *core, struct content *row)
{
    row->state = CONTENT_SEALED;
    row->is_hashing = true;
    content_use(row); /* until the digest is asked for */
    for_each_user(core, row, core->now_us, NULL, true);
    hash(core, row);
    content_unuse(core, row);
}

void content_on_checked(struct core *core, struct content *content, int error, uint64_t now_us)
{
    if (content->row) {
        stream_on_checked(core, content, error, now_us);
        return;
    }
    core_disarm(core, &content->timer);
    if (error != 0) {
        content->state = CONTENT_LENT;
        if (!content->is_released &&
            core_arm(core, &content->timer, now_us + CORE_RESERVATION_TIME_US) < 0) {
            core->actions->is_broken = true;
        }
        content_use(content); /* the last question may let go of it */
        for_each_user(core, content, now_us, NULL, false);
        content_unuse(core, content);
        return;
    }
    content->state = CONTENT_SEALED;
    content->is_hashing = true;
    for_each_user(core, content, now_us, NULL, true);
    hash(core, content); /* last, so that the providers have theirs first */
}

void content_on_hashed(struct core *core, struct content *content, const uint8_t *digest,
                       uint64_t now_us)
{
    content->is_hashing = false;
    content->has_digest = true;
    memcpy(content->digest, digest, sizeof(content->digest));
    content_use(content);
    if (content->n_users > 1) {
        for_each_user(core, content, now_us, content->digest, true);
    }
    content_unuse(core, content);
}

void content_on_timer(struct core *core, struct content *content)
{
    if (content->n_users == 0 && !content->is_released) {
        content_release(core, content);
    }
}

/*
 * Content of unknown length.
 *
 * A stream is a row of segments: memory like any other that was lent, filled and sealed, all of the
 * same length but for the last. Its question is there from the start, so that it can be taken back,
 * and ends a stream that grows too large, without the client having to send the rest. When the last
 * segment has come the row is one content, as good as one that was sealed at once, is never copied,
 * and every provider is asked. Before that only those are who can say something about a beginning
 * (early_look.c).
 *
 * A segment is checked when it is committed, and what it is charged as goes over to the row. The
 * row belongs to its question alone: it has no number of the client's.
 */
#include "broker/stream.h"

#include "broker/content.h"
#include "broker/core.h"
#include "broker/early_look.h"
#include "broker/question.h"
#include "broker/session.h"

#define SEGMENT_BYTES_MIN (UINT64_C(1) << 20)

uint32_t stream_segment_bytes(uint64_t max_content_bytes)
{
    uint64_t segment_bytes = SEGMENT_BYTES_MIN;

    while (segment_bytes < UINT32_MAX / 2 + 1u &&
           max_content_bytes / segment_bytes >= CONTENT_ROW_MAX) {
        segment_bytes *= 2;
    }
    return (uint32_t)segment_bytes;
}

static struct question *find(struct session *session, uint64_t stream_id)
{
    LIST_FOR_EACH (node, &session->questions) {
        struct question *question = CONTAINER_OF(node, struct question, node);

        if (question->ask.stream_id == stream_id && question->state == QUESTION_STREAMING) {
            return question;
        }
    }
    return NULL;
}

/* The question that a row belongs to, or NULL: it has ended. */
static struct question *find_owner(struct session *session, const struct content *row)
{
    LIST_FOR_EACH (node, &session->questions) {
        struct question *question = CONTAINER_OF(node, struct question, node);

        if (question->content == row) {
            return question;
        }
    }
    return NULL;
}

/* Whether a segment may be the next one of its row. */
static bool is_sound(const struct content *row, const struct content *segment,
                     const struct wire_segment *message)
{
    return !row->is_ended && segment && segment->state == CONTENT_LENT && segment->n_users == 0 &&
           !segment->row && segment->n_bytes == message->bytes &&
           segment->n_bytes <= row->segment_bytes &&
           (message->is_last || segment->n_bytes == row->segment_bytes);
}

static void commit(struct core *core, struct content *row, struct content *segment, bool is_last)
{
    struct action *action = action_list_add(core->actions, ACTION_CONTENT_CHECK);

    action->content = segment->handle;
    action->n_bytes = segment->n_bytes;
    core_disarm(core, &segment->timer);
    segment->state = CONTENT_CHECKING;
    segment->row = row;
    content_use(row); /* its question may end before the check has */
    row->is_ended = is_last;
    row->n_segments++;
    row->n_bytes += segment->n_bytes;
    core->content_bytes += segment->n_bytes;
}

/* Looks whether all is there. */
static void review(struct core *core, struct question *question, uint64_t now_us)
{
    const struct content *row = question->content;

    if (row->is_ended && row->n_joined == row->n_segments) {
        question_stream_is_whole(core, question, now_us);
    } else {
        early_look_review(core, question, now_us);
    }
}

void stream_on_segment(struct core *core, struct session *session,
                       const struct wire_segment *message, uint64_t now_us)
{
    struct question *question = find(session, message->stream_id);
    struct content *segment =
        message->content_id ? content_find(session, message->content_id) : NULL;
    struct content *row = question ? question->content : NULL;

    if (!question) {
        /* It was answered, and the two messages crossed. */
        if (segment && segment->state == CONTENT_LENT && segment->n_users == 0) {
            content_release(core, segment);
        }
        return;
    }
    if (message->content_id == 0 && !message->is_last) {
        question_stream_goes_on(core, question, now_us);
    } else if (message->content_id == 0 && row->n_segments > 0 && !row->is_ended) {
        row->is_ended = true;
        review(core, question, now_us);
    } else if (!is_sound(row, segment, message)) {
        question_end_stream(core, question, PES_E_INVALID_ARGUMENT, now_us);
    } else if (row->n_segments == CONTENT_ROW_MAX || segment->n_bytes > core->max_content_bytes ||
               row->n_bytes > core->max_content_bytes - segment->n_bytes) {
        row->n_bytes += segment->n_bytes; /* so much there was, at least */
        core->content_bytes += segment->n_bytes;
        content_release(core, segment);
        question_end_stream(core, question, PES_E_TOO_LARGE, now_us);
    } else {
        commit(core, row, segment, message->is_last);
        question_stream_goes_on(core, question, now_us);
    }
}

void stream_on_checked(struct core *core, struct content *segment, int error, uint64_t now_us)
{
    struct content *row = segment->row;
    struct question *question = find_owner(segment->session, row);
    struct action *action;

    if (error != 0 || !question) {
        segment->state = CONTENT_LENT;
        content_release(core, segment);
        if (question) {
            question_end_stream(core, question, PES_E_INVALID_ARGUMENT, now_us);
        }
        return;
    }
    action = action_list_add(core->actions, ACTION_CONTENT_JOIN);
    action->content = row->handle;
    action->segment = segment->handle;
    row->has_memory = true;
    segment->has_memory = false;
    row->n_joined++;
    quota_move(&segment->charge, &row->charge);
    content_free(core, segment);
    review(core, question, now_us);
}

void stream_end_all(struct core *core, struct session *session, uint64_t now_us)
{
    LIST_FOR_EACH (node, &session->questions) {
        struct question *question = CONTAINER_OF(node, struct question, node);

        if (question->state == QUESTION_STREAMING) {
            question_end_stream(core, question, PES_E_NOT_CONNECTED, now_us);
        }
    }
}

/*
 * How requests end: with the broker's answer, or with the client policy's in its place.
 *
 * Whatever goes wrong, a started request gets an answer, and always through here. The answer takes
 * the request's content with it; memory that the broker lent is given back.
 */
#include "client/settle.h"

#include <pes/enums.h>

#include "client/answer.h"
#include "client/ctx.h"
#include "client/fallback.h"
#include "client/fold.h"
#include "client/place.h"
#include "client/request.h"
#include "sys/clock.h"

static uint64_t content_bytes(const struct pes_request *request)
{
    uint64_t n_gathered = request->stream ? request->stream->n_buffer : 0;

    return request->content.state == CONTENT_NONE ? request->full_size
                                                  : request->content.n_bytes + n_gathered;
}

struct answer_about settle_about(const struct pes_request *request)
{
    uint64_t now = clock_now_us();

    return (struct answer_about){
        .kind = request->kind,
        .can = request->ctx->can,
        .policy_error = request->ctx->policy.error,
        .place_error = request->ctx->place_error,
        .content_bytes = content_bytes(request),
        .wall_us = request->asked_at_us ? now - request->asked_at_us : 0,
    };
}

/* Which quota it was that the broker refused something for, in the words it has for answers. NULL:
 * it did not say. */
static const char *quota_of(const struct pes_request *request)
{
    const struct reservation *reservation = &request->reservation;

    if (reservation->state == RESERVATION_REFUSED && reservation->error == PES_E_QUOTA) {
        return "bytes of content";
    }
    return request->ctx->connection ? NULL : "connections";
}

/* The client policy's word; never NULL. */
struct pes_answer *settle_fallback(const struct pes_request *request, uint32_t error,
                                   uint32_t retry_after_ms)
{
    struct pes_ctx *ctx = request->ctx;
    enum place_absence absence = ctx->was_connected ? PLACE_IS_THERE : ctx->absence;
    struct fallback fallback =
        fallback_decide(&ctx->policy, request->kind, request->fail_wish, error, absence);
    struct answer_about what = settle_about(request);
    struct pes_answer *answer;

    if (fallback.disposition > PES_DISPOSITION_ALLOW_AND_REPORT &&
        place_is_off(ctx->policy.is_locked)) {
        fallback.disposition = PES_DISPOSITION_ALLOW_AND_REPORT;
    }
    what.retry_after_ms = retry_after_ms;
    what.quota = error == PES_E_QUOTA ? quota_of(request) : NULL;
    if (answer_new_fallback(&answer, error, &fallback, &what) < 0) {
        return answer_static(fold(fallback.disposition, ctx->can));
    }
    return answer;
}

/* Gives the request its answer. `connection` is where it came from, or NULL. */
void settle_with(struct pes_request *request, struct pes_answer *answer,
                 const struct connection *connection)
{
    struct pes_ctx *ctx = request->ctx;

    reservation_fini(&request->reservation, ctx);
    if (request->stream && !request->stream->is_told) {
        content_fini(&request->content); /* only a part: not what the answer is about */
    }
    if (!answer->is_static) {
        answer->ctx = ctx;
        answer->serial = connection ? connection->serial : 0;
        list_append(&ctx->answers, &answer->node);
        answer->content = request->content;
        request->content = (struct content)CONTENT_INIT;
    }
    request->answer = answer;
    request_move(&ctx->answered, request, REQUEST_READY);
    ctx->n_ready++;
    ctx->has_news = true;
    if (list_is_empty(&ctx->waiting) && list_is_empty(&ctx->sent)) {
        ctx->wake_at_us = UINT64_MAX;
    }
}

void settle(struct pes_request *request, uint32_t error, uint32_t retry_after_ms)
{
    settle_with(request, settle_fallback(request, error, retry_after_ms), NULL);
}

void settle_all(struct list *list, uint32_t error, uint32_t retry_after_ms)
{
    LIST_FOR_EACH (node, list) {
        settle(CONTAINER_OF(node, struct pes_request, node), error, retry_after_ms);
    }
}

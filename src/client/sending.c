/*
 * What is sent when: courtesies first, then the waiting requests in order, as many as the broker
 * allows at once and as there is room for.
 *
 * Memory that was lent belongs to a connection. On another one, or when it was kept for too long,
 * it is asked for anew and filled from the sealed copy that we kept; so it is when it did not come
 * in time (request_content.c).
 */
#include "client/sending.h"

#include <errno.h>
#include <limits.h>

#include <pes/enums.h>

#include "client/ctx.h"
#include "client/request.h"
#include "client/settle.h"
#include "sys/clock.h"

#define PREPARE_E_WAIT    INT_MAX       /* for memory */
#define PREPARE_E_SETTLED (INT_MAX - 1) /* it ended instead */

/* Puts the content into memory that was lent by this connection. */
static int refill(struct pes_request *request)
{
    struct content_source source = {
        .bytes = request->content.bytes,
        .fd = request->content.fd,
        .n_bytes = request->content.n_bytes,
    };
    struct connection_buffer *buffer = &request->ctx->buffer;
    struct reservation *reservation = &request->reservation;
    int r;

    r = content_fill(reservation->fd, &source, buffer->bytes, sizeof(buffer->bytes));
    if (r == 0) {
        r = content_seal(reservation->fd);
    }
    if (r != 0) {
        settle(request, PES_E_NO_MEMORY, 0);
        return PREPARE_E_SETTLED;
    }
    content_fini(&request->content);
    request->content.state = CONTENT_SHARED;
    request->content.n_bytes = source.n_bytes;
    request->content.fd = TAKE_FD(reservation->fd);
    reservation_filled(reservation);
    return 0;
}

/* More than this broker takes: it is asked about without, so that the answer says so. */
static void drop_content(struct pes_request *request)
{
    reservation_fini(&request->reservation, request->ctx);
    request->full_size = request->content.n_bytes;
    content_fini(&request->content);
}

/* Sees to it that this connection has the content. Returns 0, PREPARE_E_*, or as
 * connection_send(). */
static int prepare(struct pes_request *request, struct connection *connection)
{
    struct reservation *reservation = &request->reservation;
    bool is_here = reservation->serial == connection->serial;
    int r;

    if (request->content.state != CONTENT_SHARED &&
        !(request->content.state == CONTENT_INLINE &&
          request->content.n_bytes > connection->max_inline_bytes)) {
        return 0;
    }
    if (request->content.n_bytes > connection->max_content_bytes) {
        drop_content(request);
        return 0;
    }
    if (is_here) {
        switch (reservation->state) {
        case RESERVATION_FILLED:
            if (clock_now_us() - reservation->filled_at_us < RESERVATION_KEPT_US) {
                return 0;
            }
            break; /* the broker has taken it back, or is about to (SPEC 4.2) */
        case RESERVATION_ASKED:
            return PREPARE_E_WAIT;
        case RESERVATION_GRANTED:
            return refill(request);
        case RESERVATION_REFUSED:
            settle(request, reservation->error, reservation->retry_after_ms);
            return PREPARE_E_SETTLED;
        case RESERVATION_NONE:
            break;
        }
    }
    r = reservation_ask(reservation, request->ctx, connection, request->content.n_bytes);
    return r == 0 ? PREPARE_E_WAIT : r;
}

/* Looks whether a stream can be asked by now; it may be none any more. Returns 0 or PREPARE_E_*. */
static int prepare_stream(struct pes_request *request, const struct connection *connection)
{
    switch (stream_review(request, connection)) {
    case STREAM_E_WAIT:
        return PREPARE_E_WAIT;
    case STREAM_E_OLD:
        settle(request, request->n_sends > 0 ? PES_E_BROKER_LOST : PES_E_NOT_IMPLEMENTED, 0);
        return PREPARE_E_SETTLED;
    default:
        return 0;
    }
}

static void fill_ask(struct wire_ask *ask, const struct pes_request *request,
                     const struct connection *connection)
{
    uint64_t now = clock_now_us();

    ask->id = connection->next_id;
    ask->kind = request->kind;
    ask->time_left_us = request->deadline_us > now ? request->deadline_us - now : 1;
    ask->waited_us = now - request->asked_at_us + request->waited_us;
    ask->flags = request->flags;
    ask->latency = request->latency;
    ask->fail_wish = request->fail_wish;
    ask->content_bytes = request->content.n_bytes;
    if (request->stream) {
        ask->content_bytes = 0;                                   /* nobody knows */
        ask->time_left_us = (uint64_t)request->timeout_ms * 1000; /* from its end on */
        ask->waited_us = 0;
        ask->stream_id = connection->next_stream_id;
    } else if (request->content.state == CONTENT_INLINE) {
        ask->content.data = request->content.bytes;
        ask->content.size = (size_t)request->content.n_bytes;
    } else if (request->content.state == CONTENT_SHARED) {
        ask->content_id = request->reservation.id;
    } else {
        ask->has_no_content = 1;
    }
    request_fill_items(request, ask);
}

/* Sends a question, with what was done about an earlier one if there is room for both. Returns as
 * connection_send(). */
static int send_ask(struct wire_ask *ask, struct connection *connection,
                    struct connection_buffer *buffer)
{
    int r;

    connection_tell(connection, ask);
    r = connection_send(connection, WIRE_TYPE_ASK, ask, buffer);
    if (r > 0 && ask->done_id != 0) {
        ask->done_id = 0;
        ask->did = 0;
        r = connection_send(connection, WIRE_TYPE_ASK, ask, buffer);
    }
    if (r == 0) {
        connection_told(connection, ask);
    }
    return r;
}

/* Sends one waiting request. Returns 0 when the next one may be tried, or a negative errno. */
static int send_one(struct pes_request *request, struct connection *connection)
{
    struct pes_ctx *ctx = request->ctx;
    struct wire_ask ask = {0};
    int r;

    r = request->stream ? prepare_stream(request, connection) : 0;
    if (r == 0 && !request->stream) {
        r = prepare(request, connection);
    }
    if (r == PREPARE_E_WAIT || r == PREPARE_E_SETTLED) {
        return 0;
    }
    if (r == 0) {
        fill_ask(&ask, request, connection);
        r = send_ask(&ask, connection, &ctx->buffer);
    }
    if (r > 0) {
        settle(request, PES_E_TOO_LARGE, 0); /* over the limits of the wire */
        return 0;
    }
    if (r < 0) {
        return r;
    }
    request->id = connection->next_id++;
    request->serial = connection->serial;
    request->n_sends++;
    connection->n_in_flight++;
    request_move(&ctx->sent, request, REQUEST_SENT);
    if (request->stream) {
        stream_asked(request, connection);
    }
    return 0;
}

int sending_all(struct pes_ctx *ctx, struct connection *connection)
{
    int r = 0;

    if (connection->state != CONNECTION_GREETING) {
        r = connection_flush(connection, false, &ctx->buffer);
    }
    if (connection->state == CONNECTION_READY) {
        LIST_FOR_EACH (node, &ctx->waiting) {
            if (r < 0 || connection->n_in_flight >= connection->max_in_flight) {
                break;
            }
            r = send_one(CONTAINER_OF(node, struct pes_request, node), connection);
        }
    }
    if (connection->state == CONNECTION_READY) {
        LIST_FOR_EACH (node, &ctx->sent) {
            struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

            if (r == 0 && request->stream && request->serial == connection->serial) {
                r = stream_send(request, connection);
            }
        }
    }
    ctx_watch_out(ctx, connection, r == -EAGAIN);
    return r == -EAGAIN || r > 0 ? 0 : r;
}

/*
 * What arrives from the broker, one datagram after the other.
 *
 * The broker is believed about verdicts, not about memory: each message is decoded under its
 * limits and allowed only where the protocol has it. Anything else ends the connection, and the
 * questions on it are asked again elsewhere or answered by the client policy. Messages of a type
 * that we do not know are a newer broker's, and are skipped (SPEC 5).
 */
#include "client/receive.h"

#include <errno.h>

#include <pes/enums.h>

#include "client/ctx.h"
#include "client/exchange.h"
#include "client/reservation.h"
#include "client/service.h"
#include "sys/packet.h"
#include "wire/codec.h"

/* Per call, so that a broker that never stops talking cannot keep us. */
#define RECEIVE_DATAGRAMS_MAX 256

/* What to do after a message. */
struct outcome {
    uint32_t error; /* 0, or enum pes_error: the connection is over */
    uint32_t retry_after_ms;
};

static struct outcome on_welcome(struct pes_ctx *ctx, struct connection *connection,
                                 const struct wire_welcome *welcome)
{
    if (connection->state != CONNECTION_GREETING) {
        return (struct outcome){.error = PES_E_PROTOCOL};
    }
    if (!connection_welcomed(connection, welcome)) {
        return (struct outcome){.error = PES_E_VERSION};
    }
    ctx->was_connected = true;
    return (struct outcome){0};
}

static struct outcome on_answer(struct pes_ctx *ctx, struct connection *connection,
                                const struct wire_answer *answer)
{
    if (answer->id == 0 || answer->id >= connection->next_id) {
        return (struct outcome){.error = PES_E_PROTOCOL};
    }
    exchange_answered(ctx, connection, answer);
    return (struct outcome){0};
}

static struct outcome on_refusal(struct pes_ctx *ctx, struct connection *connection,
                                 const struct wire_refusal *refusal)
{
    uint32_t error = refusal->error ? refusal->error : (uint32_t)PES_E_PROTOCOL;

    if (refusal->is_fatal) {
        return (struct outcome){.error = error, .retry_after_ms = refusal->retry_after_ms};
    }
    if (refusal->type == WIRE_TYPE_RESERVE) {
        reservation_refused(ctx, connection->serial, refusal->id, error, refusal->retry_after_ms);
    }
    if (refusal->type == WIRE_TYPE_QUERY) {
        query_refused(ctx, connection->serial, refusal->id, error);
    }
    return (struct outcome){0};
}

/* Handles the message in ctx->frame; `fd` came with it, or -1, and is the message's if it takes
 * it. */
static struct outcome on_message(struct pes_ctx *ctx, struct connection *connection, int *fd)
{
    const struct wire_frame *frame = &ctx->frame;

    if ((frame->type == WIRE_TYPE_RESERVED) != (*fd >= 0)) {
        return (struct outcome){.error = PES_E_PROTOCOL};
    }
    if (connection->state == CONNECTION_GREETING && frame->type != WIRE_TYPE_WELCOME &&
        frame->type != WIRE_TYPE_REFUSAL && frame->type != WIRE_TYPE_GOAWAY) {
        return (struct outcome){.error = PES_E_PROTOCOL};
    }
    switch (frame->type) {
    case WIRE_TYPE_WELCOME:
        return on_welcome(ctx, connection, &frame->welcome);
    case WIRE_TYPE_ANSWER:
        return on_answer(ctx, connection, &frame->answer);
    case WIRE_TYPE_RESERVED:
        if (!reservation_granted(ctx, connection, frame->reserved.content_id, TAKE_FD(*fd))) {
            return (struct outcome){.error = PES_E_PROTOCOL};
        }
        return (struct outcome){0};
    case WIRE_TYPE_GOAWAY:
        exchange_goaway(ctx, connection, frame->goaway.last_id);
        return (struct outcome){0};
    case WIRE_TYPE_REFUSAL:
        return on_refusal(ctx, connection, &frame->refusal);
    case WIRE_TYPE_SERVICE:
        query_service(ctx, connection->serial, &frame->service);
        return (struct outcome){0};
    case WIRE_TYPE_REPORT:
        query_report(ctx, connection->serial, &frame->report);
        return (struct outcome){0};
    case WIRE_TYPE_NONE:
    case WIRE_TYPE_HELLO:
    case WIRE_TYPE_ASK:
    case WIRE_TYPE_RESERVE:
    case WIRE_TYPE_RELEASE:
    case WIRE_TYPE_CANCEL:
    case WIRE_TYPE_DONE:
    case WIRE_TYPE_QUERY:
    case WIRE_TYPE_SEGMENT:
    case WIRE_TYPE_SCAN:
    case WIRE_TYPE_RESULT:
    case WIRE_TYPE_DESCRIBE:
    case WIRE_TYPE_CONFIGURE:
    case WIRE_TYPE_INSTANCE:
    case WIRE_TYPE_INSTANCE_LOST:
    case WIRE_TYPE_RETIRE:
    case WIRE_TYPE_DRAIN:
    case WIRE_TYPE_CONFIG_NOTE:
    case WIRE_TYPE_READY:
        break;
    }
    return (struct outcome){.error = PES_E_PROTOCOL};
}

static struct outcome on_datagram(struct pes_ctx *ctx, struct connection *connection,
                                  size_t n_bytes, int *fd)
{
    struct wire_fault fault;
    int r = wire_decode(&ctx->frame, ctx->received, n_bytes, &fault);

    if (r == WIRE_E_UNKNOWN_TYPE && *fd < 0) {
        return (struct outcome){0};
    }
    if (r != 0) {
        return (struct outcome){.error = PES_E_PROTOCOL};
    }
    return on_message(ctx, connection, fd);
}

/* Whether the broker owes us something. */
static bool is_awaited(const struct pes_ctx *ctx, const struct connection *connection)
{
    return connection->n_in_flight > 0 || ctx->query || !list_is_empty(&ctx->reservations);
}

bool receive(struct pes_ctx *ctx, struct connection *connection, bool all)
{
    for (unsigned i = 0; i < RECEIVE_DATAGRAMS_MAX; i++) {
        CLEANUP(closep) int fd = -1;
        struct outcome outcome = {0};
        ssize_t n;

        n = packet_receive_fd(connection->fd, ctx->received, sizeof(ctx->received), &fd);
        if (n == -EAGAIN) {
            return true;
        }
        if (n == -ECONNRESET) {
            /* It closed with something of ours unread. The kernel says so once, before what it had
             * to say, which is why. */
            continue;
        }
        if (n == -EBADMSG) {
            /* It carried memory, and there was no descriptor left for it. */
            reservation_lost(ctx, connection->serial, PES_E_NO_MEMORY);
            continue;
        }
        if (n <= 0) {
            outcome.error = n == -EMSGSIZE ? PES_E_PROTOCOL : PES_E_BROKER_LOST;
        } else {
            outcome = on_datagram(ctx, connection, (size_t)n, &fd);
        }
        if (outcome.error) {
            exchange_lost(ctx, connection, outcome.error, outcome.retry_after_ms);
            return false;
        }
        if (!all && !is_awaited(ctx, connection)) {
            return true; /* to look once more would be a system call for each question */
        }
    }
    return true;
}

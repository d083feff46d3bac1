/*
 * Requests under way, from start to answer.
 *
 * A started request waits until there is a connection that was welcomed, until the broker has lent
 * memory for its content, and for its turn (the broker allows so many at once); then it is sent,
 * and then it is answered. It always is: by the broker, or in its place by the client policy when
 * there is none, when it was lost twice, or when time is up. All of that happens inside calls of
 * the application; nothing blocks but exchange_wait().
 *
 * A connection that is lost in mid-question is replaced once, and its questions are asked again in
 * what is left of their time: to ask is to look at bytes, so asking twice changes nothing. After
 * goaway, the old connection is kept for the questions that will still be answered there.
 */
#include "client/exchange.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include <pes/enums.h>

#include "client/answer.h"
#include "client/ctx.h"
#include "client/error.h"
#include "client/fold.h"
#include "client/place.h"
#include "client/receive.h"
#include "client/request.h"
#include "client/sending.h"
#include "client/service.h"
#include "client/settle.h"
#include "sys/clock.h"

#define SENDS_MAX    2 /* of one request */
#define CONNECTS_MAX 3 /* made for one request */

#define WIRE_REGISTRY_VERSION 1

void exchange_answered(struct pes_ctx *ctx, struct connection *connection,
                       const struct wire_answer *answer)
{
    struct pes_answer *made;
    struct answer_about what;

    LIST_FOR_EACH (node, &ctx->sent) {
        struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

        if (request->serial != connection->serial || request->id != answer->id) {
            continue;
        }
        connection->n_in_flight--;
        if (answer->error == PES_E_NOT_CONNECTED && request->n_sends < SENDS_MAX) {
            request_requeue(request); /* it crossed with a goaway (SPEC 3.1) */
            return;
        }
        if (answer->disposition == PES_DISPOSITION_NONE) {
            /* Not decided: then the client policy does. */
            settle(request, answer->error ? answer->error : (uint32_t)PES_E_PROTOCOL,
                   answer->retry_after_ms);
            return;
        }
        what = settle_about(request);
        if (answer_new(&made, answer, &what) < 0) {
            made = answer_static(fold(answer->disposition, ctx->can));
        }
        settle_with(request, made, connection);
        return;
    }
    if (connection->n_abandoned > 0) {
        connection->n_abandoned--;
        connection->n_in_flight--;
    }
}
/* ---- connections */

/* Whether asking again may be of use. */
static bool is_final(const struct connection *connection, uint32_t error)
{
    return error == PES_E_VERSION || error == PES_E_PERMISSION || error == PES_E_QUOTA ||
           (error == PES_E_PROTOCOL && connection->state == CONNECTION_GREETING);
}

void exchange_lost(struct pes_ctx *ctx, struct connection *connection, uint32_t error,
                   uint32_t retry_after_ms)
{
    bool is_last_try = is_final(connection, error) || ctx->is_fixed;
    bool is_current = ctx->connection == connection;
    uint64_t serial = connection->serial;

    if (is_current) {
        ctx->connection = NULL;
        ctx->last_error = error;
    } else {
        ctx->n_draining--;
    }
    ctx_disconnect(ctx, connection);
    reservation_lost(ctx, serial, error);
    query_lost(ctx, serial, error);
    for (struct list *node = ctx->sent.prev, *before; node != &ctx->sent; node = before) {
        struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

        before = node->prev;
        if (request->serial != serial) {
            continue;
        }
        if (is_last_try || request->n_sends >= SENDS_MAX) {
            settle(request, error, retry_after_ms);
        } else {
            request_requeue(request);
        }
    }
    if (is_current && is_last_try) {
        settle_all(&ctx->waiting, error, retry_after_ms);
    }
}

void exchange_goaway(struct pes_ctx *ctx, struct connection *connection, uint64_t last_id)
{
    if (connection != ctx->connection) {
        return;
    }
    ctx->connection = NULL;
    ctx->last_error = PES_E_BROKER_LOST;
    connection->state = CONNECTION_DRAINING;
    reservation_lost(ctx, connection->serial, PES_E_BROKER_LOST);
    for (struct list *node = ctx->sent.prev, *before; node != &ctx->sent; node = before) {
        struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

        before = node->prev;
        if (request->serial == connection->serial && request->id > last_id) {
            connection->n_in_flight--;
            request_requeue(request);
        }
    }
    if (ctx->n_draining == CTX_DRAINING_MAX) {
        exchange_lost(ctx, CONTAINER_OF(ctx->draining.next, struct connection, node),
                      PES_E_BROKER_LOST, 0);
    }
    list_append(&ctx->draining, &connection->node);
    ctx->n_draining++;
}

/* Returns 0 or an enum pes_error. A connection may be lost as soon as it is there: like any other,
 * and with ctx->last_error saying why. */
static uint32_t adopt(struct pes_ctx *ctx, int fd)
{
    struct wire_hello hello = {
        .version_min = WIRE_PROTOCOL_VERSION,
        .version_max = WIRE_PROTOCOL_VERSION,
        .app_name = wire_text(ctx->app_name),
        .app_version = wire_text(ctx->app_version),
        .can = ctx->can,
        .registry_version = WIRE_REGISTRY_VERSION,
    };
    struct connection *connection;

    if (connection_new(&connection, fd, ++ctx->last_serial) < 0) {
        return PES_E_NO_MEMORY;
    }
    if (ctx_watch(ctx, connection) < 0) {
        ctx_disconnect(ctx, connection);
        return PES_E_NO_MEMORY;
    }
    ctx->connection = connection;
    if (connection_send(connection, WIRE_TYPE_HELLO, &hello, &ctx->buffer) != 0) {
        exchange_send_failed(ctx);
    }
    return 0;
}

void exchange_adopt(struct pes_ctx *ctx, int fd)
{
    uint32_t error = adopt(ctx, fd);

    if (!ctx->connection) {
        ctx->fixed_error = error ? error : ctx->last_error;
    }
}

/* The policy as it is now; once there was one, its loss does not make anything milder. */
static void reload_policy(struct pes_ctx *ctx)
{
    struct client_policy fresh;

    client_policy_load_default(&fresh);
    if (!ctx->policy.is_installed || (fresh.is_installed && !fresh.is_lost)) {
        ctx->policy = fresh;
    } else if (fresh.is_lost) {
        memcpy(ctx->policy.error, fresh.error, sizeof(fresh.error));
    }
}

/* Starts a connection. Returns 0 or an enum pes_error. */
static uint32_t open_connection(struct pes_ctx *ctx)
{
    struct place place;
    int fd;

    if (ctx->is_fixed) {
        return ctx->fixed_error;
    }
    if (ctx->epoll_fd < 0) {
        return PES_E_NO_MEMORY;
    }
    reload_policy(ctx);
    place_find(&place, ctx->socket_name, ctx->policy.is_locked);
    ctx->place_error = place.error;
    fd = connection_socket(&place, &ctx->policy, &ctx->absence);
    if (fd == CONNECTION_E_NO_BROKER) {
        return PES_E_NO_BROKER;
    }
    if (fd < 0) {
        return (uint32_t)-pes_error_from_errno(fd);
    }
    return adopt(ctx, fd);
}

/* For the requests that wait, with a bound on how often that is done for each. */
static void connect_for_waiting(struct pes_ctx *ctx)
{
    uint32_t error;

    LIST_FOR_EACH (node, &ctx->waiting) {
        struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

        if (request->n_connects++ >= CONNECTS_MAX) {
            settle(request, ctx->last_error ? ctx->last_error : (uint32_t)PES_E_BROKER_LOST, 0);
        }
    }
    if (list_is_empty(&ctx->waiting)) {
        return;
    }
    error = open_connection(ctx);
    if (error) {
        bool was_asked = error == PES_E_NO_BROKER && ctx->was_connected;

        LIST_FOR_EACH (node, &ctx->waiting) {
            struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

            settle(request, was_asked && request->n_sends > 0 ? (uint32_t)PES_E_BROKER_LOST : error,
                   0);
        }
    }
}

uint32_t exchange_send_failed(struct pes_ctx *ctx)
{
    /* The last thing that the broker said may be why it closed: hear it before giving up. */
    if (receive(ctx, ctx->connection, true)) {
        exchange_lost(ctx, ctx->connection, PES_E_BROKER_LOST, 0);
    }
    return ctx->last_error;
}

static void pump(struct pes_ctx *ctx)
{
    LIST_FOR_EACH (node, &ctx->draining) {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);

        if (sending_all(ctx, connection) < 0) {
            exchange_lost(ctx, connection, PES_E_BROKER_LOST, 0);
        }
    }
    /* Each turn costs every waiting request one of its connections, so this ends. */
    while (ctx->connection || !list_is_empty(&ctx->waiting)) {
        struct connection *connection = ctx->connection;

        if (!connection) {
            connect_for_waiting(ctx);
            continue;
        }
        if (sending_all(ctx, connection) == 0) {
            return;
        }
        exchange_send_failed(ctx);
    }
}
/* ---- time */

void exchange_wake_by(struct pes_ctx *ctx, uint64_t at_us)
{
    if (at_us < ctx->wake_at_us) {
        ctx->wake_at_us = at_us;
    }
}

static void expire_list(struct pes_ctx *ctx, struct list *list, uint64_t now, uint64_t grace_us)
{
    LIST_FOR_EACH (node, list) {
        struct pes_request *request = CONTAINER_OF(node, struct pes_request, node);

        if (now < request->deadline_us + grace_us) {
            exchange_wake_by(ctx, request->deadline_us + grace_us);
            if (request->stream && now < stream_wake_us(request)) {
                exchange_wake_by(ctx, stream_wake_us(request));
            }
            continue;
        }
        if (request->state == REQUEST_SENT) {
            request_abandon(request);
        }
        settle(request, PES_E_DEADLINE_PASSED, 0);
    }
}

static void expire(struct pes_ctx *ctx)
{
    uint64_t now = clock_now_us();

    if (now < ctx->wake_at_us) {
        return;
    }
    ctx->wake_at_us = UINT64_MAX;
    expire_list(ctx, &ctx->waiting, now, 0);
    expire_list(ctx, &ctx->sent, now, EXCHANGE_GRACE_US);
}

/* ---- processing */

static bool is_still_needed(const struct pes_ctx *ctx, const struct connection *connection)
{
    LIST_FOR_EACH (node, &ctx->sent) {
        if (CONTAINER_OF(node, struct pes_request, node)->serial == connection->serial) {
            return true;
        }
    }
    /* Whoever holds an answer may yet acknowledge it. */
    LIST_FOR_EACH (node, &ctx->answers) {
        if (CONTAINER_OF(node, struct pes_answer, node)->serial == connection->serial) {
            return true;
        }
    }
    return false;
}

static void close_drained(struct pes_ctx *ctx)
{
    LIST_FOR_EACH (node, &ctx->draining) {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);

        if (connection->n_notes == 0 && !is_still_needed(ctx, connection)) {
            ctx->n_draining--;
            ctx_disconnect(ctx, connection);
        }
    }
}

void exchange_process(struct pes_ctx *ctx)
{
    LIST_FOR_EACH (node, &ctx->draining) {
        receive(ctx, CONTAINER_OF(node, struct connection, node), false);
    }
    if (ctx->connection) {
        receive(ctx, ctx->connection, false);
    }
    expire(ctx);
    pump(ctx);
    close_drained(ctx);
}

void exchange_wait(struct pes_ctx *ctx, uint64_t until_us)
{
    uint64_t now = clock_now_us();
    struct epoll_event event;
    uint64_t left_ms;

    if (ctx->wake_at_us < until_us) {
        until_us = ctx->wake_at_us;
    }
    left_ms = until_us > now ? (until_us - now + 999) / 1000 : 0;
    /* EINTR is as good as anything: the caller looks whether it is done. */
    epoll_wait(ctx->epoll_fd, &event, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
    exchange_process(ctx);
}

void exchange_flush(struct pes_ctx *ctx, bool all)
{
    if (ctx->connection && ctx->connection->state == CONNECTION_READY &&
        connection_flush(ctx->connection, all, &ctx->buffer) != 0) {
        return; /* nobody waits for it */
    }
    LIST_FOR_EACH (node, &ctx->draining) {
        if (connection_flush(CONTAINER_OF(node, struct connection, node), all, &ctx->buffer) != 0) {
            return;
        }
    }
}

/* ---- from the requests */

void exchange_start(struct pes_request *request)
{
    uint64_t timeout_us = (uint64_t)request->timeout_ms * 1000;
    struct pes_ctx *ctx = request->ctx;

    if (request->state != REQUEST_OPEN) {
        return;
    }
    request->asked_at_us = clock_now_us();
    request->deadline_us = request->asked_at_us;
    if (request->waited_us < timeout_us) {
        request->deadline_us += timeout_us - request->waited_us;
    }
    if (!request_is_valid(request)) {
        settle(request, PES_E_INVALID_ARGUMENT, 0);
        return;
    }
    if (request->content.state == CONTENT_MISSED) {
        settle(request, request->missed_error, 0);
        return;
    }
    request_move(&ctx->waiting, request, REQUEST_WAITING);
    if (request->stream) {
        stream_started(request);
    }
    exchange_wake_by(ctx, request->deadline_us);
    if (list_is_empty(&ctx->sent)) {
        pump(ctx);
    } else {
        /* Whoever starts many must not leave their answers lying with the broker meanwhile. */
        exchange_process(ctx);
    }
}

void exchange_await(struct pes_request *request)
{
    while (request->state == REQUEST_WAITING || request->state == REQUEST_SENT) {
        exchange_wait(request->ctx, UINT64_MAX);
    }
}

struct pes_answer *exchange_take(struct pes_request *request)
{
    if (request->state != REQUEST_READY) {
        return settle_fallback(request, PES_E_INVALID_ARGUMENT, 0);
    }
    request->state = REQUEST_TAKEN;
    request->ctx->n_ready--;
    return TAKE_PTR(request->answer);
}

void exchange_cancel(struct pes_request *request)
{
    struct connection *connection;

    if (request->state == REQUEST_WAITING) {
        settle(request, PES_E_CANCELLED, 0);
    }
    if (request->state == REQUEST_SENT) {
        connection = ctx_connection(request->ctx, request->serial);
        if (connection) {
            connection_note(connection, WIRE_TYPE_CANCEL, request->id);
            pump(request->ctx);
        }
    }
}

void exchange_drop(struct pes_request *request)
{
    if (request->state == REQUEST_SENT) {
        request_abandon(request);
    }
    if (request->state == REQUEST_READY) {
        request->ctx->n_ready--;
        if (!request->answer->is_static) {
            list_remove(&request->answer->node);
        }
    }
    request->state = REQUEST_TAKEN;
}

void exchange_forked(struct pes_ctx *ctx)
{
    settle_all(&ctx->sent, PES_E_BROKER_LOST, 0);
    settle_all(&ctx->waiting, PES_E_BROKER_LOST, 0);
    while (!list_is_empty(&ctx->reservations)) {
        reservation_lost(ctx,
                         CONTAINER_OF(ctx->reservations.next, struct reservation, node)->serial,
                         PES_E_BROKER_LOST);
    }
}

uint32_t exchange_connect(struct pes_ctx *ctx, uint64_t until_us)
{
    uint32_t error;

    if (!ctx->connection) {
        error = open_connection(ctx);
        if (error) {
            return error;
        }
    }
    while (ctx->connection && ctx->connection->state == CONNECTION_GREETING) {
        if (clock_now_us() >= until_us) {
            return PES_E_DEADLINE_PASSED;
        }
        exchange_wait(ctx, until_us);
    }
    return ctx->connection ? 0 : ctx->last_error;
}

uint32_t exchange_await_room(struct pes_ctx *ctx, uint64_t until_us)
{
    if (clock_now_us() >= until_us) {
        return PES_E_DEADLINE_PASSED;
    }
    ctx_watch_out(ctx, ctx->connection, true);
    exchange_wait(ctx, until_us);
    return 0;
}

/* Returns 0, or an enum pes_error when the reservation could not even be asked for. */
static uint32_t ask_for_memory(struct reservation *reservation, struct pes_ctx *ctx,
                               uint64_t n_bytes, uint64_t until_us)
{
    int r = -EAGAIN;

    while (r == -EAGAIN) {
        uint32_t error = exchange_connect(ctx, until_us);

        if (error) {
            return error;
        }
        if (n_bytes > ctx->connection->max_content_bytes) {
            return PES_E_TOO_LARGE;
        }
        r = reservation_ask(reservation, ctx, ctx->connection, n_bytes);
        if (r == -EAGAIN) {
            error = exchange_await_room(ctx, until_us);
            if (error) {
                return error;
            }
        }
    }
    if (r < 0) {
        return exchange_send_failed(ctx);
    }
    return r == 0 ? 0 : PES_E_INTERNAL;
}

uint32_t exchange_reserve(struct reservation *reservation, struct pes_ctx *ctx, uint64_t n_bytes,
                          uint64_t until_us)
{
    uint32_t error = ask_for_memory(reservation, ctx, n_bytes, until_us);

    if (error) {
        return error;
    }
    while (reservation->state == RESERVATION_ASKED) {
        if (clock_now_us() >= until_us) {
            return PES_E_DEADLINE_PASSED;
        }
        exchange_wait(ctx, until_us);
    }
    return reservation->state == RESERVATION_GRANTED ? 0 : reservation->error;
}

/*
 * Asking the service about itself.
 *
 * Root and the owner of the service see everything, by the admin socket; so that is tried first,
 * on a context of its own that ends with the query. Everybody else asks on the connection that
 * questions use, and sees what concerns oneself.
 */
#include <errno.h>
#include <stdlib.h>

#include <pes/client.h>
#include <pes/enums.h>
#include <pes/service.h>

#include "client/ctx.h"
#include "client/exchange.h"
#include "client/place.h"
#include "client/service.h"
#include "sys/clock.h"

#define QUERY_TIMEOUT_MS 5000

static void finish(struct query *query, uint32_t error, struct pes_service *service)
{
    query->is_done = true;
    query->error = error;
    query->service = service;
}

static bool is_asked(const struct query *query, uint64_t serial, uint64_t id, enum query_what what)
{
    return query && !query->is_done && query->serial == serial && query->id == id &&
           query->what == what;
}

void query_service(struct pes_ctx *ctx, uint64_t serial, const struct wire_service *wire)
{
    if (is_asked(ctx->query, serial, wire->id, QUERY_STATUS)) {
        struct pes_service *service = service_from_status(wire);

        finish(ctx->query, service ? 0 : PES_E_NO_MEMORY, service);
    }
}

void query_report(struct pes_ctx *ctx, uint64_t serial, const struct wire_report *wire)
{
    if (is_asked(ctx->query, serial, wire->id, QUERY_REPORT)) {
        struct pes_service *service = service_from_report(wire);

        finish(ctx->query, service ? 0 : PES_E_NO_MEMORY, service);
    }
}

void query_refused(struct pes_ctx *ctx, uint64_t serial, uint64_t id, uint32_t error)
{
    if (ctx->query && is_asked(ctx->query, serial, id, ctx->query->what)) {
        finish(ctx->query, error, NULL);
    }
}

void query_lost(struct pes_ctx *ctx, uint64_t serial, uint32_t error)
{
    if (ctx->query && is_asked(ctx->query, serial, ctx->query->id, ctx->query->what)) {
        finish(ctx->query, error, NULL);
    }
}

/* Returns 0 or an enum pes_error. */
static uint32_t send_query(struct pes_ctx *ctx, enum query_what what, uint64_t until_us)
{
    struct wire_query message = {.what = what};
    int r = -EAGAIN;

    while (r == -EAGAIN) {
        uint32_t error = exchange_connect(ctx, until_us);

        if (error) {
            return error;
        }
        message.id = ctx->connection->next_id;
        r = connection_flush(ctx->connection, true, &ctx->buffer);
        if (r == 0) {
            r = connection_send(ctx->connection, WIRE_TYPE_QUERY, &message, &ctx->buffer);
        }
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
    if (r > 0) {
        return PES_E_INTERNAL;
    }
    ctx->connection->next_id++;
    ctx->query->serial = ctx->connection->serial;
    ctx->query->id = message.id;
    return 0;
}

/* Returns 0 or an enum pes_error. */
static uint32_t ask_on(struct pes_ctx *ctx, enum query_what what, uint64_t until_us,
                       struct pes_service **ret_service)
{
    struct query query = {.what = what};
    uint32_t error;

    ctx->query = &query;
    error = send_query(ctx, what, until_us);
    while (!error && !query.is_done) {
        if (clock_now_us() >= until_us) {
            error = PES_E_DEADLINE_PASSED;
            break;
        }
        exchange_wait(ctx, until_us);
    }
    ctx->query = NULL;
    if (!error && query.error) {
        error = query.error;
    }
    if (!error) {
        *ret_service = query.service;
    }
    return error;
}

/* By the admin socket. Returns 0 or an enum pes_error; any error means to try the other one. */
static uint32_t ask_as_admin(const struct pes_ctx *ctx, enum query_what what, uint64_t until_us,
                             struct pes_service **ret_service)
{
    struct pes_ctx *admin;
    uint32_t error;

    if (ctx->is_fixed) {
        return PES_E_PERMISSION;
    }
    admin = pes_open(ctx->app_name, ctx->app_version, 0);
    if (!admin) {
        return PES_E_NO_MEMORY;
    }
    admin->socket_name = PLACE_ADMINS;
    error = ask_on(admin, what, until_us, ret_service);
    pes_close(admin);
    return error;
}

static int ask(struct pes_ctx *ctx, enum query_what what, uint32_t timeout_ms,
               struct pes_service **ret_service)
{
    uint64_t until_us =
        clock_now_us() + (uint64_t)(timeout_ms ? timeout_ms : QUERY_TIMEOUT_MS) * 1000;
    uint32_t error = 0;

    if (!ctx || !ret_service) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(ctx);
    if (ask_as_admin(ctx, what, until_us, ret_service) == 0) {
        return 0;
    }
    /* Twice: the connection may turn out to be one to a broker that is gone. */
    for (unsigned i = 0; i < 2; i++) {
        error = ask_on(ctx, what, until_us, ret_service);
        if (error != PES_E_BROKER_LOST) {
            break;
        }
    }
    return error <= INT32_MAX ? -(int)error : -PES_E_INTERNAL;
}

int pes_service_query(struct pes_ctx *ctx, uint32_t timeout_ms, struct pes_service **ret_service)
{
    return ask(ctx, QUERY_STATUS, timeout_ms, ret_service);
}

int pes_service_report(struct pes_ctx *ctx, uint32_t timeout_ms, struct pes_service **ret_service)
{
    return ask(ctx, QUERY_REPORT, timeout_ms, ret_service);
}

/* Requests under way: what is sent when, and how each of them ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "wire/messages.h"

struct pes_ctx;
struct pes_request;
struct pes_answer;
struct connection;
struct reservation;

/* How long after its deadline a sent request may still be answered by the broker. */
#define EXCHANGE_GRACE_US 250000u

/* Starts an open request; others are left alone. */
void exchange_start(struct pes_request *request);

/* Waits until it has an answer. */
void exchange_await(struct pes_request *request);

/* Hands out its answer; never NULL. For one that has none to give, a static one. */
struct pes_answer *exchange_take(struct pes_request *request);

void exchange_cancel(struct pes_request *request);

/* Nobody waits for it any more. It stays in its list. */
void exchange_drop(struct pes_request *request);

/* Takes in what has arrived, ends what has run out of time, sends what can be sent. */
void exchange_process(struct pes_ctx *ctx);

/* Waits for something to happen, at most until then, and processes it. */
void exchange_wait(struct pes_ctx *ctx, uint64_t until_us);

/* There is something to do by then. */
void exchange_wake_by(struct pes_ctx *ctx, uint64_t at_us);

/* Sends the courtesies that are left, without waiting: those that cannot wait for a question to
 * travel with, or `all`. */
void exchange_flush(struct pes_ctx *ctx, bool all);

/* In a forked child: everything under way ends. */
void exchange_forked(struct pes_ctx *ctx);

/* Starts a connection on a socket, which it owns then. */
void exchange_adopt(struct pes_ctx *ctx, int fd);

/* Waits for a connection that takes questions. Returns 0 or an enum pes_error. */
MUST_CHECK uint32_t exchange_connect(struct pes_ctx *ctx, uint64_t until_us);

/* The connection is full: waits for room. It may be another one afterwards, or none. Returns 0 or
 * an enum pes_error. */
MUST_CHECK uint32_t exchange_await_room(struct pes_ctx *ctx, uint64_t until_us);

/* Sending on the connection failed, and not for want of room: it is over. Returns why, an enum
 * pes_error. */
uint32_t exchange_send_failed(struct pes_ctx *ctx);

/* Waits for memory. Returns 0 or an enum pes_error; with PES_E_DEADLINE_PASSED it may yet come. */
MUST_CHECK uint32_t exchange_reserve(struct reservation *reservation, struct pes_ctx *ctx,
                                     uint64_t n_bytes, uint64_t until_us);

/* What receive.c found. */
void exchange_answered(struct pes_ctx *ctx, struct connection *connection,
                       const struct wire_answer *answer);
void exchange_goaway(struct pes_ctx *ctx, struct connection *connection, uint64_t last_id);
void exchange_lost(struct pes_ctx *ctx, struct connection *connection, uint32_t error,
                   uint32_t retry_after_ms);

/* Memory lent by the broker for the content of one request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* The broker takes memory back that is not asked about within 30 s (SPEC 4.2). */
#define RESERVATION_KEPT_US 25000000u

enum reservation_state {
    RESERVATION_NONE = 0,
    RESERVATION_ASKED,   /* no answer yet */
    RESERVATION_GRANTED, /* `fd` is to be filled */
    RESERVATION_REFUSED, /* see `error` */
    RESERVATION_FILLED,  /* the content is in it, sealed; `fd` went to the content */
};

struct reservation {
    struct list node; /* in the context's reservations while it is asked for */
    enum reservation_state state;
    uint64_t serial; /* of the connection */
    uint64_t id;
    uint64_t n_bytes;
    int fd;
    uint64_t filled_at_us;
    uint32_t error; /* enum pes_error */
    uint32_t retry_after_ms;
};

struct pes_ctx;
struct connection;

void reservation_init(struct reservation *reservation);

/* Gives the memory back, if it came. `ctx` may be NULL. */
void reservation_fini(struct reservation *reservation, struct pes_ctx *ctx);

/* Asks for `n_bytes`. Returns as connection_send(). */
int reservation_ask(struct reservation *reservation, struct pes_ctx *ctx,
                    struct connection *connection, uint64_t n_bytes);

/* The content is in it and sealed; `fd` was taken. */
void reservation_filled(struct reservation *reservation);

/* What the broker said. `fd` becomes the reservation's; one nobody asked for is closed. Returns
 * false when it is not what was asked for. */
bool reservation_granted(struct pes_ctx *ctx, struct connection *connection, uint64_t id, int fd);
void reservation_refused(struct pes_ctx *ctx, uint64_t serial, uint64_t id, uint32_t error,
                         uint32_t retry_after_ms);

/* The connection is gone: whatever was asked for there is refused with `error`. */
void reservation_lost(struct pes_ctx *ctx, uint64_t serial, uint32_t error);

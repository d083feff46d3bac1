/*
 * Memory lent by the broker: asked for, checked, given back.
 *
 * What comes must be what was asked for: a memfd of exactly that length that can neither grow nor
 * shrink. Anything else would let the other side make us block or fail in mid-write, so it ends
 * the connection. Filling and sealing is the business of whoever asked (content.c).
 */
#include "client/reservation.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <pes/enums.h>

#include "client/connection.h"
#include "client/ctx.h"
#include "sys/clock.h"

void reservation_init(struct reservation *reservation)
{
    *reservation = (struct reservation){.fd = -1};
    list_init(&reservation->node);
}

void reservation_fini(struct reservation *reservation, struct pes_ctx *ctx)
{
    struct connection *connection = ctx ? ctx_connection(ctx, reservation->serial) : NULL;

    if (connection &&
        (reservation->state == RESERVATION_GRANTED || reservation->state == RESERVATION_FILLED)) {
        connection_note(connection, WIRE_TYPE_RELEASE, reservation->id);
    }
    list_remove(&reservation->node);
    closep(&reservation->fd);
    reservation_init(reservation);
}

int reservation_ask(struct reservation *reservation, struct pes_ctx *ctx,
                    struct connection *connection, uint64_t n_bytes)
{
    struct wire_reserve reserve = {
        .content_id = connection->next_content_id,
        .bytes = n_bytes,
    };
    int r;

    reservation_fini(reservation, ctx);
    r = connection_send(connection, WIRE_TYPE_RESERVE, &reserve, &ctx->buffer);
    if (r != 0) {
        return r;
    }
    reservation->state = RESERVATION_ASKED;
    reservation->serial = connection->serial;
    reservation->id = connection->next_content_id++;
    reservation->n_bytes = n_bytes;
    list_append(&ctx->reservations, &reservation->node);
    return 0;
}

void reservation_filled(struct reservation *reservation)
{
    reservation->state = RESERVATION_FILLED;
    reservation->filled_at_us = clock_now_us();
}

static struct reservation *find(struct pes_ctx *ctx, uint64_t serial, uint64_t id)
{
    LIST_FOR_EACH (node, &ctx->reservations) {
        struct reservation *reservation = CONTAINER_OF(node, struct reservation, node);

        if (reservation->serial == serial && reservation->id == id) {
            return reservation;
        }
    }
    return NULL;
}

static bool is_as_asked(int fd, uint64_t n_bytes)
{
    int seals = fcntl(fd, F_GET_SEALS); /* fails for all that is no memfd */
    struct stat st;

    return seals >= 0 && (seals & F_SEAL_GROW) && (seals & F_SEAL_SHRINK) &&
           !(seals & (F_SEAL_WRITE | F_SEAL_SEAL)) && fstat(fd, &st) == 0 &&
           (uint64_t)st.st_size == n_bytes;
}

bool reservation_granted(struct pes_ctx *ctx, struct connection *connection, uint64_t id, int fd)
{
    struct reservation *reservation = find(ctx, connection->serial, id);

    if (!reservation) {
        closep(&fd);
        if (id == 0 || id >= connection->next_content_id) {
            return false;
        }
        connection_note(connection, WIRE_TYPE_RELEASE, id); /* nobody waits for it any more */
        return true;
    }
    if (!is_as_asked(fd, reservation->n_bytes)) {
        closep(&fd);
        return false;
    }
    list_remove(&reservation->node);
    reservation->state = RESERVATION_GRANTED;
    reservation->fd = fd;
    return true;
}

static void refuse(struct reservation *reservation, uint32_t error, uint32_t retry_after_ms)
{
    list_remove(&reservation->node);
    reservation->state = RESERVATION_REFUSED;
    reservation->error = error;
    reservation->retry_after_ms = retry_after_ms;
}

void reservation_refused(struct pes_ctx *ctx, uint64_t serial, uint64_t id, uint32_t error,
                         uint32_t retry_after_ms)
{
    struct reservation *reservation = find(ctx, serial, id);

    if (reservation) {
        refuse(reservation, error ? error : (uint32_t)PES_E_PROTOCOL, retry_after_ms);
    }
}

void reservation_lost(struct pes_ctx *ctx, uint64_t serial, uint32_t error)
{
    LIST_FOR_EACH (node, &ctx->reservations) {
        struct reservation *reservation = CONTAINER_OF(node, struct reservation, node);

        if (reservation->serial == serial) {
            refuse(reservation, error, 0);
        }
    }
}

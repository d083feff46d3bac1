/*
 * Putting bytes into a request: inline, or into memory that the broker lends.
 *
 * The second needs a round trip before the question itself. It is waited for here, as what went
 * wrong can then be told at once and the bytes are copied only once; but not for long: nobody has
 * said yet how much time there is, or may only be about to. What the broker has not lent by then is
 * kept in a copy of our own and goes there while the answer is waited for (sending.c). Only what is
 * too much to keep waits on. Without a broker nothing is kept: the answer will come from the client
 * policy anyway, and a copy of something large would be made for nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <pes/client.h>
#include <pes/enums.h>

#include "client/content.h"
#include "client/ctx.h"
#include "client/exchange.h"
#include "client/request.h"
#include "sys/clock.h"
#include "wire/codec.h"

#define MEMORY_WAIT_US 250000u
#define KEPT_BYTES_MAX (16u << 20)

/* For what went wrong while copying; errno is for the caller of the library. */
static int error_of_copy(int r)
{
    if (r == CONTENT_E_CHANGED) {
        return -PES_E_CHANGED;
    }
    if (r == -ENOMEM || r == -ENOSPC) {
        return -PES_E_NO_MEMORY;
    }
    errno = -r;
    return -PES_E_IO;
}

/* How long to wait for memory. */
static uint64_t memory_wait_us(const struct pes_request *request, uint64_t n_bytes)
{
    uint64_t timeout_us = (uint64_t)request->timeout_ms * 1000;

    return n_bytes > KEPT_BYTES_MAX || timeout_us < MEMORY_WAIT_US ? timeout_us : MEMORY_WAIT_US;
}

/*
 * Borrows memory for `n_bytes`. Returns 0 with the reservation granted, or a negative PES_E_*:
 * -PES_E_NO_BROKER for whatever the answer itself will tell, -PES_E_DEADLINE_PASSED when the memory
 * may yet come.
 */
static int borrow(struct pes_request *request, uint64_t n_bytes)
{
    uint64_t from_us = clock_now_us();
    uint64_t until_us = from_us + memory_wait_us(request, n_bytes);
    struct reservation *reservation = &request->reservation;
    uint32_t error;

    /* Twice: the first connection may turn out to be one to a broker that is gone. */
    for (unsigned i = 0; i < 2; i++) {
        error = exchange_reserve(reservation, request->ctx, n_bytes, until_us);
        if (error != PES_E_BROKER_LOST) {
            break;
        }
    }
    request->waited_us += clock_now_us() - from_us;
    switch (error) {
    case 0:
        return 0;
    case PES_E_DEADLINE_PASSED:
        request->missed_error = error;
        return n_bytes > KEPT_BYTES_MAX ? -PES_E_NO_BROKER : -PES_E_DEADLINE_PASSED;
    case PES_E_TOO_LARGE:
    case PES_E_QUOTA:
    case PES_E_NO_MEMORY:
        return -(int)error;
    default:
        request->missed_error = error;
        return -PES_E_NO_BROKER;
    }
}

/* Fills and seals what was borrowed. */
static int fill(struct pes_request *request, const struct content_source *source)
{
    struct reservation *reservation = &request->reservation;
    struct connection_buffer *buffer = &request->ctx->buffer;
    int r;

    r = content_fill(reservation->fd, source, buffer->bytes, sizeof(buffer->bytes));
    if (r == 0) {
        r = content_seal(reservation->fd);
    }
    if (r != 0) {
        return error_of_copy(r);
    }
    request->content.state = CONTENT_SHARED;
    request->content.n_bytes = source->n_bytes;
    request->content.fd = TAKE_FD(reservation->fd);
    reservation_filled(reservation);
    return 0;
}

/* Copies what memory was not lent for in time. */
static int keep(struct pes_request *request, const struct content_source *source)
{
    struct connection_buffer *buffer = &request->ctx->buffer;
    int r = content_keep(&request->content, source, buffer->bytes, sizeof(buffer->bytes));

    return r == 0 ? 0 : error_of_copy(r);
}

static int put_shared(struct pes_request *request, const struct content_source *source)
{
    int r = borrow(request, source->n_bytes);

    if (r == 0) {
        r = fill(request, source);
    } else if (r == -PES_E_DEADLINE_PASSED) {
        r = keep(request, source);
    }
    if (r == 0) {
        return 0;
    }
    reservation_fini(&request->reservation, request->ctx);
    if (r == -PES_E_TOO_LARGE) {
        request->full_size = source->n_bytes;
    }
    if (r == -PES_E_NO_BROKER) {
        request->content.state = CONTENT_MISSED;
        request->content.n_bytes = source->n_bytes;
        return 0;
    }
    return r;
}

static bool takes_content(const struct pes_request *request)
{
    return request && request->ctx && request->state == REQUEST_OPEN &&
           request->content.state == CONTENT_NONE;
}

int pes_request_bytes(struct pes_request *request, const void *bytes, size_t n_bytes)
{
    struct content_source source = {.bytes = bytes, .fd = -1, .n_bytes = n_bytes};

    if (!takes_content(request) || (!bytes && n_bytes > 0)) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(request->ctx);
    if (n_bytes > WIRE_INLINE_BYTES_MAX) {
        return put_shared(request, &source);
    }
    return content_copy(&request->content, bytes, n_bytes) < 0 ? -PES_E_NO_MEMORY : 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void drop_content(struct pes_request *request)
{
    reservation_fini(&request->reservation, request->ctx);
    content_fini(&request->content);
}

int pes_request_file(struct pes_request *request, int fd)
{
    struct content_source source = {.fd = fd};
    struct stat before, after;
    int r;

    if (!takes_content(request)) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(request->ctx);
    /* Nothing but a regular file: reading anything else may block for ever. */
    if (fstat(fd, &before) < 0 || !S_ISREG(before.st_mode) || before.st_size < 0) {
        return -PES_E_INVALID_ARGUMENT;
    }
    source.n_bytes = (uint64_t)before.st_size;
    if (source.n_bytes > WIRE_INLINE_BYTES_MAX) {
        r = put_shared(request, &source);
    } else {
        r = content_copy_file(&request->content, fd, (size_t)source.n_bytes);
        r = r == 0 ? 0 : error_of_copy(r);
    }
    if (r == 0 && (fstat(fd, &after) < 0 || !is_same(&before, &after))) {
        drop_content(request);
        r = -PES_E_CHANGED;
    }
    return r;
}

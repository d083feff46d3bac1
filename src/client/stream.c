/*
 * Content of unknown length.
 *
 * What the application writes is gathered until it fills a segment. The first full one makes the
 * question be asked; each goes into memory that the broker lends for just that, and is committed
 * as soon as it is sealed, so that nothing is lent for longer than the copying takes. What ends
 * before that is content like any other, and the broker never hears of a stream.
 *
 * The sealed segments are kept, as descriptors: they are what was scanned. On another connection
 * they are copied into memory of that one, from the first on.
 *
 * While the application has nothing to write there is no deadline: it waits for nobody. What is
 * ready to be taken has the request's timeout to be taken in, and so has the answer after the last
 * segment.
 */
#include "client/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pes/client.h>
#include <pes/enums.h>

#include "client/ctx.h"
#include "client/exchange.h"
#include "client/request.h"
#include "client/settle.h"
#include "sys/clock.h"

#define BUFFER_BYTES_FIRST 65536u
#define RETRY_US           100000u

/* A broker gives a stream up that says nothing for ten minutes (SPEC 4.7). */
#define SPEAK_US 200000000u

#define SEND_E_DONE INT_MAX /* nothing is left to be sent for now */

void stream_free(struct stream *stream)
{
    if (stream) {
        free(stream->buffer);
        free(stream);
    }
}

/* How much is gathered. */
static size_t limit_of(const struct stream *stream)
{
    return stream->segment_bytes ? stream->segment_bytes : CONNECTION_SEGMENT_BYTES_MIN;
}

static bool is_settled(const struct pes_request *request)
{
    return request->state == REQUEST_READY || request->state == REQUEST_TAKEN;
}

/* Sets the deadline by whose turn it is. */
static void set_deadline(struct pes_request *request)
{
    struct stream *stream = request->stream;
    bool is_pending = stream->is_ended || stream->n_buffer == limit_of(stream) ||
                      stream->n_committed < request->content.n_fds;

    if (is_pending && !stream->is_pending) {
        request->deadline_us = clock_now_us() + (uint64_t)request->timeout_ms * 1000;
    } else if (!is_pending) {
        request->deadline_us = STREAM_NO_DEADLINE_US;
    }
    stream->is_pending = is_pending;
    exchange_wake_by(request->ctx, stream_wake_us(request));
}

void stream_started(struct pes_request *request)
{
    request->stream->is_pending = false;
    set_deadline(request);
}

uint64_t stream_wake_us(const struct pes_request *request)
{
    const struct stream *stream = request->stream;
    uint64_t at_us = request->deadline_us;

    if (request->state == REQUEST_SENT && !stream->is_told) {
        if (stream->retry_at_us && stream->retry_at_us < at_us) {
            at_us = stream->retry_at_us;
        }
        if (stream->spoke_at_us + SPEAK_US < at_us) {
            at_us = stream->spoke_at_us + SPEAK_US;
        }
    }
    return at_us;
}

int stream_review(struct pes_request *request, const struct connection *connection)
{
    struct stream *stream = request->stream;
    struct content *content = &request->content;

    if (stream->is_ended && content->n_fds == 0) {
        content_fini(content);
        content->state = CONTENT_INLINE;
        content->bytes = stream->buffer ? TAKE_PTR(stream->buffer) : calloc(1, 1);
        content->n_bytes = stream->n_buffer;
        stream_free(TAKE_PTR(request->stream));
        return STREAM_E_PLAIN;
    }
    if (!stream->segment_bytes) {
        if (connection->segment_bytes == 0) {
            return stream->n_buffer == limit_of(stream) ? STREAM_E_OLD : STREAM_E_WAIT;
        }
        stream->segment_bytes = connection->segment_bytes;
        set_deadline(request);
    }
    if (stream->segment_bytes != connection->segment_bytes) {
        return STREAM_E_OLD;
    }
    return content->n_fds > 0 || stream->n_buffer == stream->segment_bytes ? STREAM_E_BEGIN
                                                                           : STREAM_E_WAIT;
}

void stream_asked(struct pes_request *request, struct connection *connection)
{
    struct stream *stream = request->stream;

    stream->id = connection->next_stream_id++;
    stream->n_committed = 0;
    stream->is_told = false;
    stream->retry_at_us = 0;
    stream->spoke_at_us = clock_now_us();
    set_deadline(request);
}

/* ---- sending */

/* It cannot go on: the broker is told, and the client policy answers. */
static int give_up(struct pes_request *request, uint32_t error, uint32_t retry_after_ms)
{
    request_abandon(request);
    settle(request, error, retry_after_ms);
    return SEND_E_DONE;
}

/* The bytes of the next segment; none when there is none yet. */
static struct content_source next_source(const struct pes_request *request)
{
    const struct stream *stream = request->stream;
    const struct content *content = &request->content;
    struct content_source source = {.fd = -1};

    if (stream->n_committed < content->n_fds) {
        source.fd = content->fds[stream->n_committed];
        source.n_bytes = stream->n_committed + 1 < content->n_fds
                             ? stream->segment_bytes
                             : content->n_bytes - stream->n_committed * stream->segment_bytes;
    } else if (stream->n_buffer == stream->segment_bytes ||
               (stream->is_ended && stream->n_buffer > 0)) {
        source.bytes = stream->buffer;
        source.n_bytes = stream->n_buffer;
    }
    return source;
}

/* Puts the next segment into the memory that was lent for it. */
static int fill(struct pes_request *request, const struct content_source *source)
{
    struct connection_buffer *buffer = &request->ctx->buffer;
    int r = content_fill(request->reservation.fd, source, buffer->bytes, sizeof(buffer->bytes));

    if (r == 0) {
        r = content_seal(request->reservation.fd);
    }
    if (r != 0) {
        return give_up(request, PES_E_NO_MEMORY, 0);
    }
    reservation_filled(&request->reservation);
    return 0;
}

/* The segment is the broker's now; its memory is kept here, too. */
static int committed(struct pes_request *request, bool is_last)
{
    struct reservation *reservation = &request->reservation;
    struct stream *stream = request->stream;
    struct content *content = &request->content;

    if (stream->n_committed < content->n_fds) {
        closep(&content->fds[stream->n_committed]);
        content->fds[stream->n_committed] = TAKE_FD(reservation->fd);
    } else {
        content->fds[content->n_fds++] = TAKE_FD(reservation->fd);
        content->n_bytes += stream->n_buffer;
        stream->n_buffer = 0;
    }
    reservation_fini(reservation, NULL); /* not given back: it is part of the stream */
    stream->n_committed++;
    stream->is_told = is_last;
    stream->is_pending = false; /* the next segment, or the answer, has all the time again */
    set_deadline(request);
    return 0;
}

static int say(struct pes_request *request, struct connection *connection,
               const struct wire_segment *segment)
{
    int r = connection_send(connection, WIRE_TYPE_SEGMENT, segment, &request->ctx->buffer);

    if (r == 0) {
        request->stream->spoke_at_us = clock_now_us();
    }
    return r;
}

static int commit(struct pes_request *request, struct connection *connection)
{
    const struct stream *stream = request->stream;
    bool is_kept = stream->n_committed < request->content.n_fds;
    bool is_last =
        stream->is_ended &&
        (is_kept ? stream->n_committed + 1 == request->content.n_fds && stream->n_buffer == 0
                 : true);
    const struct wire_segment segment = {
        .stream_id = stream->id,
        .content_id = request->reservation.id,
        .bytes = request->reservation.n_bytes,
        .is_last = is_last,
    };
    int r = say(request, connection, &segment);

    return r == 0 ? committed(request, is_last) : r;
}

/* Memory was refused. What is full now may have room soon. */
static int refused(struct pes_request *request)
{
    struct reservation *reservation = &request->reservation;
    uint64_t wait_us = (uint64_t)reservation->retry_after_ms * 1000;
    uint64_t retry_at_us = clock_now_us() + (wait_us > RETRY_US ? wait_us : RETRY_US);

    if ((reservation->error != PES_E_QUOTA && reservation->error != PES_E_NO_MEMORY) ||
        retry_at_us >= request->deadline_us) {
        return give_up(request, reservation->error, reservation->retry_after_ms);
    }
    reservation_fini(reservation, NULL);
    request->stream->retry_at_us = retry_at_us;
    exchange_wake_by(request->ctx, retry_at_us);
    return SEND_E_DONE;
}

/* One step. Returns 0 when another may follow, SEND_E_DONE, or a negative errno. */
static int send_step(struct pes_request *request, struct connection *connection)
{
    struct reservation *reservation = &request->reservation;
    struct stream *stream = request->stream;
    struct content_source source = next_source(request);
    struct wire_segment end = {.stream_id = stream->id, .is_last = stream->is_ended};

    if (stream->is_told) {
        return SEND_E_DONE;
    }
    if (source.n_bytes == 0) {
        int r;

        if (!stream->is_ended && clock_now_us() < stream->spoke_at_us + SPEAK_US) {
            return SEND_E_DONE;
        }
        r = say(request, connection, &end); /* that was all, or more will come */
        if (r == 0 && stream->is_ended) {
            stream->is_told = true;
            stream->is_pending = false;
            set_deadline(request);
        }
        return r;
    }
    if (source.bytes && request->content.n_fds == CONTENT_FDS_MAX) {
        return give_up(request, PES_E_TOO_LARGE, 0);
    }
    if (reservation->serial != connection->serial) {
        reservation_fini(reservation, NULL);
    }
    switch (reservation->state) {
    case RESERVATION_NONE:
        if (clock_now_us() < stream->retry_at_us) {
            return SEND_E_DONE;
        }
        stream->retry_at_us = 0;
        return reservation_ask(reservation, request->ctx, connection, source.n_bytes);
    case RESERVATION_ASKED:
        return SEND_E_DONE;
    case RESERVATION_GRANTED:
        return fill(request, &source);
    case RESERVATION_FILLED:
        return commit(request, connection);
    case RESERVATION_REFUSED:
        return refused(request);
    }
    return SEND_E_DONE;
}

int stream_send(struct pes_request *request, struct connection *connection)
{
    int r;

    do {
        r = send_step(request, connection);
    } while (r == 0);
    return r == SEND_E_DONE ? 0 : r;
}

/* ---- from the application */

int pes_request_stream(struct pes_request *request)
{
    if (!request || !request->ctx || request->state != REQUEST_OPEN ||
        request->content.state != CONTENT_NONE) {
        return -PES_E_INVALID_ARGUMENT;
    }
    request->stream = calloc(1, sizeof(*request->stream));
    if (!request->stream || content_new_row(&request->content) < 0) {
        stream_free(TAKE_PTR(request->stream));
        return -PES_E_NO_MEMORY;
    }
    return 0;
}

size_t pes_stream_room(const struct pes_request *request)
{
    const struct stream *stream = request ? request->stream : NULL;

    if (!stream || !request->ctx || stream->is_ended || is_settled(request)) {
        return 0;
    }
    return limit_of(stream) - stream->n_buffer;
}

/* Makes room for some bytes, at most the limit. */
static int grow(struct stream *stream, size_t n_bytes)
{
    size_t n = stream->n_allocated ? stream->n_allocated : BUFFER_BYTES_FIRST;
    uint8_t *buffer;

    while (n < n_bytes) {
        n *= 2;
    }
    if (n == stream->n_allocated) {
        return 0;
    }
    buffer = realloc(stream->buffer, n);
    if (!buffer) {
        return -ENOMEM;
    }
    stream->buffer = buffer;
    stream->n_allocated = n;
    return 0;
}

/* Takes in what there is room for. Returns how much, or -ENOMEM. */
static ssize_t gather(struct pes_request *request, const void *bytes, size_t n_bytes)
{
    struct stream *stream = request->stream;
    size_t n_room = limit_of(stream) - stream->n_buffer;
    size_t n = n_bytes < n_room ? n_bytes : n_room;

    if (n == 0) {
        return 0;
    }
    if (grow(stream, stream->n_buffer + n) < 0) {
        return -ENOMEM;
    }
    memcpy(stream->buffer + stream->n_buffer, bytes, n);
    stream->n_buffer += n;
    return (ssize_t)n;
}

int pes_stream_write(struct pes_request *request, const void *bytes, size_t n_bytes)
{
    const uint8_t *next = bytes;

    if (!request || !request->ctx || (!bytes && n_bytes > 0)) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(request->ctx);
    if (is_settled(request)) {
        return 1;
    }
    if (!request->stream || request->stream->is_ended) {
        return -PES_E_INVALID_ARGUMENT;
    }
    exchange_start(request);
    while (n_bytes > 0 && !is_settled(request)) {
        ssize_t n = gather(request, next, n_bytes);

        if (n < 0) {
            return -PES_E_NO_MEMORY;
        }
        next += n;
        n_bytes -= (size_t)n;
        if (n == 0) {
            exchange_wait(request->ctx, UINT64_MAX);
        } else if (request->stream->n_buffer == limit_of(request->stream)) {
            set_deadline(request);
            exchange_process(request->ctx);
        }
    }
    return is_settled(request);
}

int pes_stream_end(struct pes_request *request)
{
    if (!request || !request->ctx || (!request->stream && !is_settled(request))) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(request->ctx);
    exchange_start(request);
    if (!is_settled(request) && !request->stream->is_ended) {
        request->stream->is_ended = true;
        request->stream->is_pending = false;
        request->asked_at_us = clock_now_us(); /* until here nobody waited for us */
        set_deadline(request);
        exchange_process(request->ctx);
    }
    return 0;
}

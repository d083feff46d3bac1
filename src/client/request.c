/*
 * Requests: made, described, dropped. How they are sent is exchange.c, their bytes
 * request_content.c.
 *
 * The context fields live in a fixed table and one pool of text, both bounded as on the wire, so
 * that what pes_request_*() accepted can always be sent.
 */
#include "client/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pes/enums.h>

#include "client/answer.h"
#include "client/ctx.h"
#include "client/exchange.h"
#include "wire/name_table.h"

#define VERIFIED_FIRST 600u
#define VERIFIED_LAST  699u

#define KNOWN_FLAGS                                                                                \
    (PES_SCAN_PRIVATE | PES_SCAN_NO_CACHE | PES_SCAN_QUIET | PES_SCAN_DRY_RUN |                    \
     PES_SCAN_WANT_DETAILS)

struct pes_request *pes_request_new(struct pes_ctx *ctx, uint32_t kind)
{
    struct pes_request *request;

    if (!ctx) {
        return NULL;
    }
    ctx_enter(ctx);
    request = calloc(1, sizeof(*request));
    if (!request) {
        return NULL;
    }
    request->ctx = ctx;
    request->state = REQUEST_OPEN;
    request->kind = kind;
    request->timeout_ms = REQUEST_TIMEOUT_MS;
    request->content = (struct content)CONTENT_INIT;
    reservation_init(&request->reservation);
    list_init(&request->node);
    list_append(&ctx->open, &request->node);
    return request;
}

void pes_request_free(struct pes_request *request)
{
    struct pes_ctx *ctx;

    if (!request) {
        return;
    }
    ctx = request->ctx;
    if (ctx) {
        ctx_enter(ctx);
        exchange_drop(request);
    }
    list_remove(&request->node);
    reservation_fini(&request->reservation, ctx);
    if (ctx) {
        exchange_flush(ctx, false); /* there may be no later call to do it */
    }
    content_fini(&request->content);
    answer_free(request->answer);
    stream_free(request->stream);
    free(request->pool);
    free(request);
}

void request_orphan(struct pes_request *request)
{
    exchange_drop(request);
    reservation_fini(&request->reservation, request->ctx);
    list_remove(&request->node);
    request->ctx = NULL;
}

void request_move(struct list *list, struct pes_request *request, enum request_state state)
{
    list_remove(&request->node);
    list_append(list, &request->node);
    request->state = state;
}

void request_abandon(struct pes_request *request)
{
    struct connection *connection = ctx_connection(request->ctx, request->serial);

    if (connection) {
        connection_note(connection, WIRE_TYPE_CANCEL, request->id);
        connection->n_abandoned++;
    }
}

void request_requeue(struct pes_request *request)
{
    struct pes_ctx *ctx = request->ctx;

    list_remove(&request->node);
    list_append(ctx->waiting.next, &request->node);
    request->state = REQUEST_WAITING;
}

/* Whether the field is one that a client may set, of that type. */
static bool is_settable(uint32_t number, enum field_type type)
{
    const struct field_info *field = field_by_number(number);

    return field && field->type == type && (number < VERIFIED_FIRST || number > VERIFIED_LAST);
}

static bool is_open(const struct pes_request *request)
{
    return request && request->state == REQUEST_OPEN;
}

/* Takes a field out again, with its text. */
static void remove_item(struct pes_request *request, size_t index)
{
    struct request_item item = request->items[index];

    if (item.n_bytes > 0) {
        memmove(request->pool + item.offset, request->pool + item.offset + item.n_bytes,
                request->n_pool - item.offset - item.n_bytes);
        request->n_pool -= item.n_bytes;
    }
    request->n_items--;
    memmove(&request->items[index], &request->items[index + 1],
            (request->n_items - index) * sizeof(request->items[0]));
    for (size_t i = 0; i < request->n_items; i++) {
        if (request->items[i].offset > item.offset) {
            request->items[i].offset -= item.n_bytes;
        }
    }
}

/* The place of a field that is set already, or the number of fields. */
static size_t find_item(const struct pes_request *request, uint32_t field)
{
    size_t i = 0;

    while (i < request->n_items && request->items[i].field != field) {
        i++;
    }
    return i;
}

/* Makes room for a field with `n_bytes` of text. Returns 0 or a negative PES_E_*. */
static int make_room(struct pes_request *request, uint32_t field, size_t n_bytes)
{
    size_t old = find_item(request, field);
    size_t n_old = old < request->n_items ? request->items[old].n_bytes : 0;

    if (old == REQUEST_ITEMS_MAX || request->n_pool - n_old + n_bytes > REQUEST_POOL_BYTES_MAX) {
        return -PES_E_TOO_LARGE;
    }
    if (n_bytes > 0) {
        char *pool = realloc(request->pool, request->n_pool + n_bytes);

        if (!pool) {
            return -PES_E_NO_MEMORY;
        }
        request->pool = pool;
    }
    if (old < request->n_items) {
        remove_item(request, old);
    }
    return 0;
}

int pes_request_text_n(struct pes_request *request, uint32_t field, const void *text,
                       size_t n_bytes)
{
    int r;

    if (!is_open(request) || !is_settable(field, FIELD_TEXT) || (!text && n_bytes > 0)) {
        return -PES_E_INVALID_ARGUMENT;
    }
    if (n_bytes > REQUEST_TEXT_BYTES_MAX) {
        return -PES_E_TOO_LARGE;
    }
    r = make_room(request, field, n_bytes);
    if (r < 0) {
        return r;
    }
    if (n_bytes == 0) {
        return 0; /* empty is absent */
    }
    memcpy(request->pool + request->n_pool, text, n_bytes);
    request->items[request->n_items++] = (struct request_item){
        .field = field,
        .offset = (uint32_t)request->n_pool,
        .n_bytes = (uint32_t)n_bytes,
        .is_text = true,
    };
    request->n_pool += n_bytes;
    return 0;
}

int pes_request_text(struct pes_request *request, uint32_t field, const char *text)
{
    /* No further than it takes to see that it is too long. */
    return pes_request_text_n(request, field, text,
                              text ? strnlen(text, REQUEST_TEXT_BYTES_MAX + 1) : 0);
}

int pes_request_number(struct pes_request *request, uint32_t field, uint64_t value)
{
    int r;

    if (!is_open(request) || !is_settable(field, FIELD_NUMBER)) {
        return -PES_E_INVALID_ARGUMENT;
    }
    r = make_room(request, field, 0);
    if (r < 0) {
        return r;
    }
    request->items[request->n_items++] = (struct request_item){.field = field, .value = value};
    return 0;
}

void pes_request_timeout_ms(struct pes_request *request, uint32_t timeout_ms)
{
    if (is_open(request)) {
        request->timeout_ms = timeout_ms ? timeout_ms : REQUEST_TIMEOUT_MS;
    }
}

void pes_request_flags(struct pes_request *request, uint32_t flags)
{
    if (is_open(request)) {
        request->flags = flags;
    }
}

void pes_request_latency(struct pes_request *request, uint32_t latency)
{
    if (is_open(request)) {
        request->latency = latency;
    }
}

void pes_request_fail_wish(struct pes_request *request, uint32_t wish)
{
    if (is_open(request)) {
        request->fail_wish = wish;
    }
}

void request_fill_items(const struct pes_request *request, struct wire_ask *ask)
{
    for (size_t i = 0; i < request->n_items; i++) {
        const struct request_item *item = &request->items[i];
        struct wire_item *to = &ask->context[ask->n_context++];

        *to = (struct wire_item){.field = item->field, .value = item->value};
        if (item->is_text) {
            to->text = (struct wire_bytes){
                .data = (const uint8_t *)request->pool + item->offset,
                .size = item->n_bytes,
            };
        }
    }
    if (request->full_size > 0 && find_item(request, PES_SUBJECT_FULL_SIZE) == request->n_items) {
        ask->context[ask->n_context++] =
            (struct wire_item){.field = PES_SUBJECT_FULL_SIZE, .value = request->full_size};
    }
}

bool request_is_valid(const struct pes_request *request)
{
    return request->kind != PES_KIND_NONE && (request->flags & ~(uint32_t)KNOWN_FLAGS) == 0;
}

struct pes_answer *pes_ask(struct pes_request *request)
{
    struct pes_answer *answer;

    if (!request || !request->ctx) {
        struct client_policy policy;

        pes_request_free(request);
        client_policy_load_default(&policy);
        return answer_static_unknown(policy.is_installed);
    }
    ctx_enter(request->ctx);
    exchange_start(request);
    if (request->stream) {
        pes_stream_end(request);
    }
    exchange_await(request);
    answer = exchange_take(request);
    pes_request_free(request);
    return answer;
}

int pes_start(struct pes_request *request)
{
    if (!is_open(request) || !request->ctx) {
        return -PES_E_INVALID_ARGUMENT;
    }
    ctx_enter(request->ctx);
    exchange_start(request);
    return 0;
}

struct pes_answer *pes_take_answer(struct pes_request *request)
{
    if (!request || !request->ctx) {
        return NULL;
    }
    ctx_enter(request->ctx);
    return request->state == REQUEST_READY ? exchange_take(request) : NULL;
}

void pes_cancel(struct pes_request *request)
{
    if (request && request->ctx) {
        ctx_enter(request->ctx);
        exchange_cancel(request);
    }
}

/* A request: what is asked, how far it has got. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pes/client.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "client/content.h"
#include "client/reservation.h"
#include "client/stream.h"
#include "wire/messages.h"

/* One less than the wire carries: subject.full_size may be added. */
#define REQUEST_ITEMS_MAX      63
#define REQUEST_TEXT_BYTES_MAX 4096
#define REQUEST_POOL_BYTES_MAX 24576
#define REQUEST_TIMEOUT_MS     5000

enum request_state {
    REQUEST_OPEN = 1, /* in the making */
    REQUEST_WAITING,  /* started; for a connection, for memory or for its turn */
    REQUEST_SENT,
    REQUEST_READY, /* has an answer */
    REQUEST_TAKEN, /* the answer was taken */
};

struct request_item {
    uint32_t field;
    uint32_t offset; /* into the pool */
    uint32_t n_bytes;
    bool is_text;
    uint64_t value;
};

struct pes_request {
    struct list node;    /* in one of the context's lists, by state */
    struct pes_ctx *ctx; /* NULL: closed */
    enum request_state state;

    uint32_t kind;
    uint32_t timeout_ms;
    uint32_t flags;
    uint32_t latency;
    uint32_t fail_wish;
    struct request_item items[REQUEST_ITEMS_MAX];
    size_t n_items;
    char *pool; /* texts of the items */
    size_t n_pool;
    uint64_t full_size; /* of content that was too large, or 0 */
    struct content content;
    uint32_t missed_error; /* with CONTENT_MISSED: enum pes_error */
    struct reservation reservation;
    struct stream *stream; /* or NULL: all of the content is there */

    uint64_t waited_us; /* for memory, before it was asked: counts against the timeout */
    uint64_t asked_at_us;
    uint64_t deadline_us;
    unsigned n_sends;    /* times that it was sent */
    unsigned n_connects; /* connections that were made for it */
    uint64_t serial;     /* sent: on which connection */
    uint64_t id;         /* sent: under which number */
    struct pes_answer *answer;
};

/* The context is gone. */
void request_orphan(struct pes_request *request);

/* Puts it into another of its context's lists. */
void request_move(struct list *list, struct pes_request *request, enum request_state state);

/* It was sent, and nobody waits for it any more: takes it back. */
void request_abandon(struct pes_request *request);

/* Back to the head of those that wait, to be asked again. */
void request_requeue(struct pes_request *request);

/* Fills the context of a question; texts are borrowed. */
void request_fill_items(const struct pes_request *request, struct wire_ask *ask);

/* Whether everything in it is known to this version. */
bool request_is_valid(const struct pes_request *request);

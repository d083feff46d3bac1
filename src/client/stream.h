/* Content of unknown length: written bit by bit, kept and sent in segments. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pes_ctx;
struct pes_request;
struct connection;

/* A deadline that never comes: it is the application's turn. */
#define STREAM_NO_DEADLINE_US (UINT64_MAX / 2)

struct stream {
    bool is_ended;        /* nothing more will be written */
    bool is_told;         /* the broker knows that, on the present connection */
    bool is_pending;      /* something is here that the broker should take */
    uint8_t *buffer;      /* what is not in a segment yet; never longer than one */
    size_t n_buffer;      /* bytes in it */
    size_t n_allocated;   /* bytes that fit */
    size_t segment_bytes; /* 0: not known yet */
    uint64_t id;          /* of the present connection */
    size_t n_committed;   /* segments that it has */
    uint64_t spoke_at_us;
    uint64_t retry_at_us; /* there was no memory: when to ask for some again, or 0 */
};

/* Accepts NULL. */
void stream_free(struct stream *stream);

/* The request was started: from now on it is waited for its end. */
void stream_started(struct pes_request *request);

/* Looks what a request that waits is by now. Returns STREAM_E_*: */
#define STREAM_E_WAIT  1 /* there is not enough to send */
#define STREAM_E_BEGIN 2 /* it is to be asked as a stream */
#define STREAM_E_PLAIN 3 /* all is here, and no more than a segment: content like any other */
#define STREAM_E_OLD   4 /* the broker knows no streams, or has other segments than those here */
MUST_CHECK int stream_review(struct pes_request *request, const struct connection *connection);

/* It was asked as a stream of this connection. */
void stream_asked(struct pes_request *request, struct connection *connection);

/* Sends of an asked one what can be sent. Returns 0 or a negative errno, as connection_send(); the
 * request may have its answer afterwards. */
MUST_CHECK int stream_send(struct pes_request *request, struct connection *connection);

/* When something has to be done about it even if nothing arrives. */
uint64_t stream_wake_us(const struct pes_request *request);

/* An answer: everything in one block of memory, harmless to show, independent of its context. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pes/answer.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "client/content.h"
#include "wire/messages.h"

#define ANSWER_MESSAGE_BYTES 1024
#define ANSWER_DIGEST_BYTES  32

struct answer_part {
    struct pes_part shown;
    const struct pes_finding *findings; /* shown.n_findings */
    const struct pes_evidence *evidence;
};

struct pes_answer {
    struct list node;    /* in the context's answers */
    struct pes_ctx *ctx; /* NULL: closed, nobody to tell */
    uint64_t serial;     /* of the connection that it came by; 0: none */
    uint64_t id;         /* on that connection */
    bool is_static;      /* not to be freed or written to */
    uint32_t kind;
    struct pes_answer_info info;
    uint8_t digest[ANSWER_DIGEST_BYTES];
    struct content content;
    struct answer_part *parts; /* info.n_parts */
    const char *message;
};

/* What an answer is about, besides what the broker says. */
struct answer_about {
    uint32_t kind;
    uint32_t can;             /* what the application can do */
    const char *policy_error; /* what is wrong with the client policy, or "" */
    const char *place_error;  /* what is wrong with where the broker should be, or NULL */
    const char *quota;        /* with PES_E_QUOTA: which, or NULL; outlives the answer */
    uint64_t content_bytes;   /* as submitted */
    uint64_t wall_us;         /* as the application saw it */
    uint32_t retry_after_ms;
};

/*
 * Makes an answer of the broker's message, copying everything. An action that was not declared is
 * folded anew. Returns 0 or -ENOMEM.
 */
MUST_CHECK int answer_new(struct pes_answer **ret_answer, const struct wire_answer *wire,
                          const struct answer_about *about);

struct fallback;

/* Makes an answer of the client policy's word; `error` is an enum pes_error. 0 or -ENOMEM. */
MUST_CHECK int answer_new_fallback(struct pes_answer **ret_answer, uint32_t error,
                                   const struct fallback *fallback,
                                   const struct answer_about *about);

/* One that needs no memory, for an action. */
struct pes_answer *answer_static(uint32_t action);

/* For those who asked without a context or request, so that nobody knows what they can do. */
struct pes_answer *answer_static_unknown(bool is_installed);

/* Frees it; static ones are left alone. */
void answer_free(struct pes_answer *answer);

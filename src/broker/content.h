/* Memory that was lent to a client for content too large to travel in a message. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/sha256.h"
#include "broker/quota.h"
#include "broker/timer.h"

struct core;
struct session;
struct wire_reserve;

/* Segments that a stream may have: each is a descriptor in the message to a worker. */
#define CONTENT_ROW_MAX 64

enum content_state {
    CONTENT_MAKING = 0,
    CONTENT_LENT = 1,     /* the client writes */
    CONTENT_CHECKING = 2, /* are the seals on? */
    CONTENT_SEALED = 3,
    CONTENT_OPEN = 4, /* a stream's row: more segments may come */
};

struct content {
    struct list node; /* in session.contents; alone when the session let go of it */
    struct session *session;
    uint32_t handle;
    enum content_state state;
    uint64_t id; /* the client's */
    uint64_t n_bytes;
    size_t n_users; /* questions that use it */
    bool is_released;
    bool has_memory; /* the shell holds some under its handle */
    bool is_hashing;
    bool has_digest;
    uint8_t digest[SHA256_DIGEST_BYTES];
    struct timer timer;
    struct quota_charge charge;
    struct content *row; /* of a stream's segment while it is checked: what it will be part of */
    uint64_t segment_bytes;
    size_t n_segments; /* of a row: committed */
    size_t n_joined;   /* of those: found to be sound */
    bool is_ended;     /* of a row: the last one is committed */
};

void content_reserve(struct core *core, struct session *session, const struct wire_reserve *reserve,
                     uint64_t now_us);
void content_release(struct core *core, struct content *content);

/* The row of a new stream, without segments yet. It is gone when nobody uses it any more. Returns
 * 0, QUOTA_E_EXCEEDED or -ENOMEM. */
MUST_CHECK int content_new_row(struct core *core, struct session *session,
                               struct content **ret_row);

/* How much of a row that goes on has come and is sound: whole segments. */
uint64_t content_beginning_bytes(const struct content *row);

/* Whoever uses a row that is whole goes on; its digest is computed. */
void content_row_is_whole(struct core *core, struct content *row);

/* Frees it whatever is under way: the broker ends. */
void content_free(struct core *core, struct content *content);

struct content *content_find(struct session *session, uint64_t id);

/* A question begins and ends to use it. */
void content_use(struct content *content);
void content_unuse(struct core *core, struct content *content);

void content_on_made(struct core *core, struct content *content, int error, uint64_t now_us);
void content_on_checked(struct core *core, struct content *content, int error, uint64_t now_us);
void content_on_hashed(struct core *core, struct content *content, const uint8_t *digest,
                       uint64_t now_us);
void content_on_timer(struct core *core, struct content *content);

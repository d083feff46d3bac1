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

enum content_state {
    CONTENT_MAKING = 0,
    CONTENT_LENT = 1,     /* the client writes */
    CONTENT_CHECKING = 2, /* are the seals on? */
    CONTENT_SEALED = 3,
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
    bool is_hashing;
    bool has_digest;
    uint8_t digest[SHA256_DIGEST_BYTES];
    struct timer timer;
    struct quota_charge charge;
};

void content_reserve(struct core *core, struct session *session, const struct wire_reserve *reserve,
                     uint64_t now_us);
void content_release(struct core *core, struct content *content);

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

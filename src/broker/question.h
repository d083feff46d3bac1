/* One question under way, and its parts: one per provider that takes its kind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/sha256.h"
#include "broker/provider.h"
#include "broker/quota.h"
#include "broker/stats.h"
#include "broker/timer.h"

struct core;
struct session;
struct content;
struct question;

enum part_state {
    PART_WAITING = 0, /* for a worker */
    PART_RUNNING = 1,
    PART_DONE = 2,
};

struct part {
    struct list node; /* in provider.waiting */
    struct question *question;
    struct provider *provider;
    struct instance *instance; /* while running */
    struct slot *slot;         /* while running */
    enum part_state state;
    bool is_of_beginning; /* of a stream, of which the rest has not come */
    bool is_counted;      /* as a scan of its provider */
    uint64_t n_bytes;     /* that it is about, once running */
    uint64_t id;
    uint64_t deadline_us;
    uint64_t queued_us;
    uint64_t started_us;
    uint64_t finished_us;
    uint32_t status; /* enum pes_status, once done */
    bool is_fused;   /* no worker had it: it ended one before */
    uint32_t signal;
    uint32_t exit_status; /* 256 + exit status */
    uint32_t limit;
    uint32_t verdict;
    uint32_t coverage;
    uint64_t cpu_us;
    char version[PROVIDER_NAME_BYTES + 1];
    char definitions[PROVIDER_NAME_BYTES + 1];
    uint8_t *result; /* the worker's datagram, or NULL */
    size_t n_result;
};

enum question_state {
    QUESTION_CHECKING = 0, /* are the content's seals right? */
    QUESTION_RUNNING = 1,
    QUESTION_HASHING = 2,   /* all else is known */
    QUESTION_STREAMING = 3, /* its content has not come as a whole */
};

struct question {
    struct list node; /* in session.questions */
    struct session *session;
    struct content *content; /* or NULL: inline, or none */
    enum question_state state;
    uint64_t submitted_us;
    uint64_t received_us;
    uint64_t deadline_us;
    struct timer timer;
    struct quota_charge charge;
    struct quota_charge bytes_charge;
    struct stats_wait wait;
    bool has_digest;
    bool is_early;
    bool is_cancelled;
    bool is_too_large; /* a stream of which more came than may */
    uint8_t digest[SHA256_DIGEST_BYTES];
    uint64_t reference;
    size_t n_seen; /* segments that the last look at a stream's beginning was about */
    size_t n_parts;
    struct part parts[PROVIDERS_MAX];
    struct wire_ask ask; /* points into `bytes` */
    uint8_t bytes[];     /* the client's datagram */
};

/* Length of what it is about, inline or not. */
uint64_t question_content_bytes(const struct question *question);

/* A client asks. Always leads to exactly one answer on its session, if not now then later. */
void question_ask(struct core *core, struct session *session, const struct wire_ask *ask,
                  const uint8_t *bytes, size_t n_bytes, uint64_t now_us);

/* The content of a question is sealed, or is not. */
void question_on_checked(struct core *core, struct question *question, bool is_sound,
                         uint64_t now_us);

/* A stream: something came; all came, and providers are asked; it ends without them, for this
 * enum pes_error. */
void question_stream_goes_on(struct core *core, struct question *question, uint64_t now_us);
void question_stream_is_whole(struct core *core, struct question *question, uint64_t now_us);
void question_end_stream(struct core *core, struct question *question, uint32_t error,
                         uint64_t now_us);

/* For early_look.c. What is unfinished ends for this reason; it is answered, and gone. */
struct part *question_add_part(struct core *core, struct question *question,
                               struct provider *provider, uint64_t now_us);
void question_end_parts(struct core *core, struct question *question, uint32_t status,
                        uint64_t now_us);
bool question_is_waiting(const struct question *question); /* for a part */
bool question_is_decided(const struct core *core, const struct question *question);
bool question_could_decide(const struct core *core, const struct question *question,
                           const struct provider *provider);
uint64_t question_answer_by(const struct core *core, const struct question *question,
                            uint64_t now_us);
void question_arm(struct core *core, struct question *question);
void question_decide_early(struct core *core, struct question *question, uint64_t now_us);

/* The digest of its content is known. */
void question_on_hashed(struct core *core, struct question *question,
                        const uint8_t digest[SHA256_DIGEST_BYTES], uint64_t now_us);

/* The client takes it back. */
void question_cancel(struct core *core, struct question *question, uint64_t now_us);

/* The client is gone: no answer, no trace in the sums but what the providers did. */
void question_drop(struct core *core, struct question *question);

/* Its timer has run out. */
void question_on_timer(struct core *core, struct question *question, uint64_t now_us);

/* A part counts as a scan of its provider, once. */
void part_count(struct part *part);

/* A part has ended; `part` was filled in but for state and times. */
void part_finish(struct core *core, struct part *part, uint32_t status, uint64_t now_us);

/*
 * The world around a broker's core, without any process: clients, inits, workers and the clock are
 * numbers. It obeys every action, keeps count of promises, and stops the program when one is
 * broken. Tests script it, the simulation rolls dice, the fuzzer lets bytes decide.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "broker/core.h"

#define WORLD_CLIENTS   8u
#define WORLD_INSTANCES 8u
#define WORLD_ASKS      4096u

struct world_client {
    bool is_open;
    uint32_t uid;
    uint64_t last_id;
    uint64_t last_content_id;
    uint64_t last_stream_id;
    uint8_t is_asked[WORLD_ASKS];    /* by id */
    uint8_t is_answered[WORLD_ASKS]; /* by id */
    uint8_t is_unended[WORLD_ASKS];  /* a stream of which not all has come, by id */
    uint64_t last_stream_ask;        /* id of the last stream's question */
    size_t n_open;                   /* asked and not answered */
    bool is_welcome;
    bool was_refused;    /* fatally */
    uint32_t last_error; /* of the last refusal */
    size_t n_answers;
    size_t n_reserved;
    size_t n_unread_fds;
    uint64_t reserved_id; /* of the last reservation that was granted */
    size_t n_queued;      /* bytes that it has not read, as the shell told */
};

struct world_worker {
    bool is_alive;
    bool is_dying; /* killed; its exit is not reported yet */
    uint64_t generation;
    uint64_t scan; /* id of the part it works on, 0: none */
    uint64_t scan_bytes;
    uint32_t uid;
    bool has_uid;
};

struct world_instance {
    bool is_used;
    size_t provider;
    struct world_worker workers[PROVIDER_SLOTS_MAX];
};

struct world {
    struct core core;
    struct action_list actions;
    uint64_t now_us;
    uint64_t seed;                                  /* printed when a promise is broken */
    struct world_client clients[WORLD_CLIENTS + 1]; /* by handle, from 1 */
    struct world_instance instances[WORLD_INSTANCES + 1];
    bool has_memory[1024];       /* by content handle */
    uint64_t memory_bytes[1024]; /* what is in it, by content handle */
    size_t n_looks;              /* scans of beginnings of streams */
    size_t n_rows;               /* scans of whole streams */
    size_t n_early;              /* findings in streams that had not come to their end */
    bool will_hash_later;        /* digests of content are reported by world_hash() only */
    uint32_t to_hash[64];
    size_t n_to_hash;
    bool is_bad_content;               /* the next check fails */
    bool is_out_of_memory;             /* no content can be made */
    char configured[PROVIDERS_MAX][8]; /* names of the last configuration */
    size_t n_configured;
    uint32_t n_slots;                 /* that providers have from now on; 0: any number */
    bool is_accepted;                 /* instances are, from now on */
    uint32_t n_samples, test_strings; /* that providers prove from now on */
    uint32_t beginnings;              /* bit i: p<i> takes those of streams from now on */
    unsigned n_newcomers;             /* names that were thought up */
    bool has_new_limits;              /* of users who may hold more than that by now */
    bool has_exited;
    bool is_lost;                    /* memory ran out in the middle of a step: the broker ends */
    void (*on_step)(bool is_within); /* called before and after each step of the core, or NULL */
    bool admits_none;
    bool said_ready;
    size_t n_logged[EV_INTERNAL + 1]; /* by event; it is the last */
    uint64_t n_steps;
    struct wire_frame *frame;  /* scratch */
    struct wire_answer answer; /* the last one */
    uint8_t answer_bytes[WIRE_MESSAGE_BYTES_MAX];
    uint8_t last_service[WIRE_MESSAGE_BYTES_MAX]; /* the last list that was sent */
    size_t n_last_service;
};

void world_init(struct world *world, uint64_t seed);

/* Closes everything; nothing may be left charged. */
void world_fini(struct world *world);

/* One event, and all that follows from it. */
void world_feed(struct world *world, struct event event);

/* A configuration of `n_providers` providers p0, p1, ... with `n_workers` workers each, all
 * unsigned, in mode enforce. */
void world_configure(struct world *world, size_t n_providers, uint32_t n_workers);

/* Any message of the launcher; `instance` is the handle that comes with it, or 0. */
void world_launcher(struct world *world, enum wire_type type, const void *message,
                    uint32_t instance);

/* Provider p<index> starts as this instance and takes kinds 1 to 127. */
void world_start_provider(struct world *world, size_t index, uint32_t instance,
                          uint64_t generation);

/* The same in two steps: its init comes, it describes itself. */
void world_load_provider(struct world *world, size_t index, uint32_t instance, uint64_t generation);
void world_describe_provider(struct world *world, size_t index, uint32_t instance);

/* An instance that loads describes itself in a way that cannot be read. */
void world_describe_badly(struct world *world, uint32_t instance);

/* A client connects, says hello and is identified as app<handle>; root by the admin socket. */
void world_connect(struct world *world, uint32_t client, uint32_t uid, uint32_t can);

/* The same in two steps. */
void world_open(struct world *world, uint32_t client, uint32_t uid, uint32_t can);
void world_identify(struct world *world, uint32_t client);
void world_identify_own(struct world *world, uint32_t client);
void world_disconnect(struct world *world, uint32_t client);
void world_send(struct world *world, uint32_t client, enum wire_type type, const void *message);

/* Asks, in the world's books; sets the id. */
void world_ask_with(struct world *world, uint32_t client, struct wire_ask *ask);

/* Asks about some bytes; returns the id. */
uint64_t world_ask(struct world *world, uint32_t client, uint32_t kind, uint64_t time_left_us,
                   uint32_t flags);

/* A worker that works answers its scan with this verdict, fully covered. False when it has none. */
bool world_answer(struct world *world, uint32_t instance, uint32_t slot, uint32_t verdict);

/* A worker that works says this about its scan; the id is set. False when it has none. */
bool world_say(struct world *world, uint32_t instance, uint32_t slot, struct wire_result *result);

/* A worker dies. */
void world_die(struct world *world, uint32_t instance, uint32_t slot, uint32_t how, int value);

/* Reports every exit of workers that were killed. */
void world_reap(struct world *world);

/* Finishes every digest that is under way. */
void world_hash(struct world *world);

/* Lets time pass, waking the core at each deadline. */
void world_pass(struct world *world, uint64_t us);

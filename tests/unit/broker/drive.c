/*
 * Bytes become happenings in a broker's world: clients come, ask, misbehave and leave; workers
 * answer, lie, crash and hang; generations come and go; time passes. The world checks the promises;
 * here is only the dice's reading.
 */
#include "drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_PROVIDERS   3u
#define SEGMENT_BYTES (UINT64_C(2) << 20) /* as the broker says, with the content that it takes */

static void send_bytes(struct world *world, uint32_t client, const uint8_t *bytes, size_t n_bytes)
{
    if (world->clients[client].is_open) {
        world_feed(world, (struct event){.type = EVENT_SESSION_MESSAGE,
                                         .session = client,
                                         .bytes = bytes,
                                         .n_bytes = n_bytes});
    }
}

static void worker_bytes(struct world *world, uint32_t instance, uint32_t slot,
                         const uint8_t *bytes, size_t n_bytes)
{
    struct world_worker *worker = &world->instances[instance].workers[slot];

    if (worker->is_alive && !worker->is_dying) {
        worker->scan = 0;
        world_feed(world, (struct event){
                              .type = EVENT_WORKER_MESSAGE,
                              .instance = instance,
                              .slot = slot,
                              .generation = worker->generation,
                              .bytes = bytes,
                              .n_bytes = n_bytes,
                          });
    }
}

static bool may_ask(const struct world *world, uint32_t client)
{
    return world->clients[client].last_id + 1 < WORLD_ASKS;
}

static void ask_about_memory(struct world *world, uint32_t client, bool is_sound)
{
    struct wire_ask ask = {
        .kind = PES_KIND_DOCUMENT_PDF,
        .content_id = world->clients[client].reserved_id,
        .content_bytes = 70000,
    };

    if (ask.content_id != 0 && may_ask(world, client)) {
        world->is_bad_content = !is_sound;
        world_ask_with(world, client, &ask);
    }
}

/* What is refused, what has no content, what is of no known kind, what has hardly any time. */
static void ask_oddly(struct world *world, uint32_t client, uint8_t detail)
{
    struct wire_ask ask = {
        .kind = detail % 4 == 0 ? detail : PES_KIND_COMMAND_PASTED,
        .schema_version = detail % 16 == 1 ? 7 : 0,
        .time_left_us = detail % 8 == 2 ? UINT64_MAX : detail % 8,
        .waited_us = detail & 0x10 ? UINT64_MAX : 0,
        .fail_wish = detail % 5,
        .has_no_content = detail & 0x20 ? 1 : 0,
        .done_id = detail % 32,
        .did = detail % 8,
        .n_context = detail & 0x40 ? 1 : 0,
        .context = {{.field = detail & 0x80 ? PES_VERIFIED_UID : PES_SUBJECT_FULL_SIZE,
                     .value = CORE_MAX_CONTENT_BYTES + 1}},
    };

    if (may_ask(world, client)) {
        world_ask_with(world, client, &ask);
    }
}

static void reserve(struct world *world, uint32_t client, uint8_t detail)
{
    struct wire_reserve message = {.content_id = ++world->clients[client].last_content_id,
                                   .bytes = detail & 0x40 ? SEGMENT_BYTES : 70000};

    world_send(world, client, WIRE_TYPE_RESERVE, &message);
}

/* Reserves and commits the next segment of a stream, in order or not. */
static void add_segment(struct world *world, uint32_t client, uint64_t n_bytes, bool is_last)
{
    struct world_client *who = &world->clients[client];
    struct wire_segment segment = {
        .stream_id = who->last_stream_id, .bytes = n_bytes, .is_last = is_last};

    if (n_bytes > 0) {
        const struct wire_reserve message = {.content_id = ++who->last_content_id,
                                             .bytes = n_bytes};

        segment.content_id = message.content_id;
        world_send(world, client, WIRE_TYPE_RESERVE, &message);
    }
    world_send(world, client, WIRE_TYPE_SEGMENT, &segment);
}

/* A segment that is probably none: of other memory, of a stream before, of a wrong length. */
static void add_oddly(struct world *world, uint32_t client, uint8_t dice)
{
    struct world_client *who = &world->clients[client];
    const struct wire_segment segment = {
        .stream_id = who->last_stream_id - (dice == 0 && who->last_stream_id > 1),
        .content_id = dice == 1 ? who->reserved_id + 1 : who->reserved_id,
        .bytes = dice == 2 ? 70000 : SEGMENT_BYTES,
        .is_last = dice & 1,
    };

    world_send(world, client, WIRE_TYPE_SEGMENT, &segment);
}

static void begin_stream(struct world *world, uint32_t client, uint8_t dice)
{
    struct world_client *who = &world->clients[client];
    struct wire_ask ask = {
        .kind = PES_KIND_DOCUMENT_PDF,
        .stream_id = who->last_stream_id + 1,
        .flags = dice == 3 ? PES_SCAN_WANT_DETAILS : 0,
    };

    if (!who->is_open) {
        world_connect(world, client, 1000 + client % 3, dice);
    }
    if (who->is_open && may_ask(world, client)) {
        world_ask_with(world, client, &ask);
    }
}

/* A stream begins, goes on, ends, or is not what it should be. Few clients have some, so that a
 * stream has some length. */
static void stream(struct world *world, uint8_t detail)
{
    uint32_t client = 1 + detail % 2;
    uint8_t dice = detail >> 6;
    struct world_client *who = &world->clients[client];

    if (who->last_stream_id == 0 || detail / 2 % 16 < 2) {
        begin_stream(world, client, dice);
        return;
    }
    world->is_bad_content = detail / 2 % 16 == 2 && dice == 0;
    switch (detail / 2 % 16) {
    case 2:
        add_segment(world, client, SEGMENT_BYTES, dice == 1);
        return;
    case 3:
        add_segment(world, client, 1 + dice, true);
        return;
    case 4:
        add_segment(world, client, 0, dice > 0);
        return;
    case 5:
        add_oddly(world, client, dice);
        return;
    default:
        add_segment(world, client, SEGMENT_BYTES, false);
        return;
    }
}

/* A provider's init goes away, and comes back as a new generation. */
static void restart(struct world *world, uint32_t instance, size_t provider, uint64_t generation)
{
    if (world->instances[instance].is_used) {
        world->instances[instance] = (struct world_instance){0};
        world_feed(world, (struct event){.type = EVENT_INIT_CLOSED, .instance = instance});
    } else {
        world_start_provider(world, provider, instance, generation);
    }
}

/* What a worker that content has taken over may say: anything that can be encoded. */
static void lie(struct world *world, uint32_t instance, uint32_t slot, uint8_t detail)
{
    static const uint32_t verdicts[] = {PES_VERDICT_KNOWN_GOOD, PES_VERDICT_POTENTIALLY_UNWANTED,
                                        PES_VERDICT_SENSITIVE_DATA, PES_VERDICT_MALICIOUS};
    static const uint64_t shares[] = {0, 1, 2, 3}; /* halves of what there is */
    uint64_t n_bytes = world->instances[instance].workers[slot].scan_bytes;
    struct wire_result result = {
        .verdict = verdicts[detail % 4],
        .coverage = detail & 0x10 ? PES_COVERAGE_FULL : PES_COVERAGE_PARTIAL_TIME,
        .bytes_examined = n_bytes * shares[detail / 4 % 4] / 2,
        .n_findings = detail / 32 % 4,
        .n_findings_total = detail / 64,
    };

    for (size_t i = 0; i < result.n_findings; i++) {
        result.findings[i] = (struct wire_finding){.verdict = verdicts[(detail / 16 + i) % 4],
                                                   .detection = wire_text("Test.Lie")};
    }
    (void)world_say(world, instance, slot, &result);
}

/* The first worker that works says so. */
static void answer_any(struct world *world, uint32_t verdict)
{
    for (uint32_t i = 1; i <= WORLD_INSTANCES; i++) {
        if (world_answer(world, i, 0, verdict) || world_answer(world, i, 1, verdict)) {
            return;
        }
    }
}

/* So many providers that nobody has heard of yet. */
static void add_newcomers(struct world *world, struct wire_configure *configure, size_t n,
                          char names[PROVIDERS_MAX][8])
{
    for (size_t i = 0; i < n; i++) {
        char *name = names[configure->n_providers];

        snprintf(name, 8, "p%u", N_PROVIDERS + world->n_newcomers++);
        configure->providers[configure->n_providers++] =
            (struct wire_config_provider){.name = wire_text(name), .n_workers = 1};
    }
}

/* The administrator changes her mind. */
static void configure(struct world *world, uint8_t detail)
{
    static const char *const names[N_PROVIDERS] = {"p0", "p1", "p2"};
    char newcomers[PROVIDERS_MAX][8];
    struct wire_configure configure = {
        .generation = 2,
        .mode = detail % 4,
        .fail_execution = detail / 4 % 4,
        .max_in_flight_per_uid = detail & 0x80 ? 3 : 0,
        .max_bytes_per_uid = detail & 0x80 ? 1 << 20 : 0,
        .max_sessions_per_uid = detail & 0x80 ? 2 : 0,
        .default_timeout_ms = 100,
        .n_rules = 1,
        .rules = {{.app = wire_text("app1"), .mode = PES_MODE_WARN, .fail = PES_FAIL_WISH_DENY}},
    };

    for (uint32_t i = 0; i < N_PROVIDERS; i++) {
        if ((detail >> i & 1) && i + 1 == detail / 16 % 4) {
            continue;
        }
        configure.providers[configure.n_providers++] = (struct wire_config_provider){
            .name = wire_text(names[i]),
            .n_workers = detail >> i & 3,
            .is_off = (detail >> i & 7) == 7,
            .is_advisory = detail >> (i + 1) & 1,
            .timeout_ms = detail >> i & 2 ? 20 : 0,
            .scans_per_worker = detail >> i & 4 ? 2 : 0,
            .mode = detail >> i & 3,
        };
    }
    add_newcomers(world, &configure, detail % 4 ? 0 : 1 + detail / 4 % 13, newcomers);
    world->has_new_limits = true;
    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
}

/* The number of one that is configured. */
static size_t any_provider(const struct world *world, uint8_t dice)
{
    return world->n_configured
               ? strtoul(world->configured[dice % world->n_configured] + 1, NULL, 10)
               : 0;
}

/* A new generation comes, and describes itself sooner or later. */
static void load_or_describe(struct world *world, uint8_t detail, uint64_t *generation)
{
    uint32_t instance = 1 + detail % WORLD_INSTANCES;

    world->n_samples = detail >> 4 & 1;
    world->test_strings = detail >> 5 & 3;
    world->beginnings = detail >> 2 & 7;
    if (world->instances[instance].is_used && detail & 0x80) {
        world_describe_badly(world, instance);
    } else if (world->instances[instance].is_used) {
        world_describe_provider(world, world->instances[instance].provider, instance);
    } else {
        world_load_provider(world, any_provider(world, detail / 8), instance, ++*generation);
    }
}

static void lose_generation(struct world *world, uint8_t detail, uint64_t generation)
{
    struct wire_instance_lost lost = {
        .generation = generation - detail / 4 % 4,
        .reason = wire_text("dice"),
        .retry_in_ms = detail & 0x80,
    };

    if (world->n_configured > 0) {
        lost.name = wire_text(world->configured[detail % world->n_configured]);
        world_launcher(world, WIRE_TYPE_INSTANCE_LOST, &lost, 0);
    }
}

/* The client does not read, or reads again. */
static void queue_or_flush(struct world *world, uint32_t client, uint8_t detail)
{
    struct world_client *who = &world->clients[client];
    struct event event = {.session = client, .n_bytes = who->n_queued};

    if (!who->is_open) {
        return;
    }
    if ((detail & 0xc0) == 0xc0) {
        event.type = EVENT_SESSION_TAKEN;
        event.n_fds = who->n_unread_fds;
        who->n_unread_fds = 0;
    } else if (detail & 0x80) {
        event.type = EVENT_SESSION_FLUSHED;
        who->n_queued = 0;
    } else {
        event.type = EVENT_SESSION_QUEUED;
        event.n_bytes = (size_t)detail << 14;
        who->n_queued += event.n_bytes;
    }
    world_feed(world, event);
}

/* What init says beside the exits. */
static void init_speaks(struct world *world, uint32_t instance, uint32_t slot, uint8_t detail)
{
    const struct init_event init = {
        .version = INIT_CHANNEL_VERSION,
        .type = detail & 0x80 ? INIT_FAILED : INIT_SPAWNED,
        .slot = slot,
        .generation = world->instances[instance].workers[slot].generation,
        .n_payload = 4,
    };

    if (world->instances[instance].is_used) {
        world_feed(world, (struct event){.type = EVENT_INIT,
                                         .instance = instance,
                                         .init = &init,
                                         .bytes = (const uint8_t *)"dice",
                                         .n_bytes = 4});
    }
}

static void break_channel(struct world *world, uint32_t instance, uint32_t slot)
{
    const struct world_worker *worker = &world->instances[instance].workers[slot];

    if (worker->is_alive && !worker->is_dying) {
        world_feed(world, (struct event){.type = EVENT_WORKER_CLOSED,
                                         .instance = instance,
                                         .slot = slot,
                                         .generation = worker->generation});
    }
}

/* A client that nobody knows, or knows late. */
static void come_unknown(struct world *world, uint32_t client, uint8_t detail)
{
    if (world->clients[client].is_open) {
        world_identify(world, client);
    } else {
        world_open(world, client, 1000 + client % 3, detail % 4);
    }
}

static void ask(struct world *world, uint32_t client, uint8_t what)
{
    if (may_ask(world, client)) {
        world_ask(world, client, what % 70, (uint64_t)(what % 50) * 10000,
                  what & 1 ? PES_SCAN_WANT_DETAILS : 0);
    }
}

static void happen_seldom(struct world *world, uint8_t what, uint8_t detail, uint64_t *generation)
{
    uint32_t client = 1 + detail % WORLD_CLIENTS, instance = 1 + detail % WORLD_INSTANCES;
    uint32_t slot = detail / 8 % 2;

    switch (what) {
    case 0:
        configure(world, detail);
        return;
    case 1:
        load_or_describe(world, detail, generation);
        return;
    case 2:
        lose_generation(world, detail, *generation);
        return;
    case 3:
        queue_or_flush(world, client, detail);
        return;
    case 4:
        init_speaks(world, instance, slot, detail);
        return;
    case 5:
        break_channel(world, instance, slot);
        return;
    case 6:
        world_die(world, instance, slot, 1 + detail % 3, detail);
        return;
    case 7:
        ask_oddly(world, client, detail);
        return;
    case 8:
        come_unknown(world, client, detail);
        return;
    case 9:
        world->is_out_of_memory = detail & 1;
        if (detail == 99) {
            world_launcher(world, WIRE_TYPE_DRAIN, &(struct wire_drain){.grace_ms = 500}, 0);
        }
        return;
    }
}

static void happen(struct world *world, uint8_t what, uint8_t detail, uint64_t *generation)
{
    uint32_t client = 1 + detail % WORLD_CLIENTS, instance = 1 + detail % WORLD_INSTANCES;
    uint32_t slot = detail / 8 % 2;

    switch (what % 24) {
    case 0:
        if (!world->clients[client].is_open) {
            world_connect(world, client, detail & 0x80 ? 0 : 1000 + client % 3, detail % 4);
        }
        return;
    case 1:
        if (world->clients[client].is_open) {
            world_disconnect(world, client);
        }
        return;
    case 2:
    case 3:
    case 4:
    case 5:
        ask(world, client, what ^ detail);
        return;
    case 6:
    case 7:
    case 8:
        if (what / 24 == 1) {
            lie(world, instance, slot, detail);
        } else if (what / 24 == 2) {
            answer_any(world, PES_VERDICT_MALICIOUS);
        } else {
            world_answer(world, instance, slot, what / 24 ? PES_VERDICT_NOT_DETECTED : detail % 15);
        }
        return;
    case 9:
        world_die(world, instance, slot, INIT_EXIT_SIGNAL, 1 + detail % 31);
        return;
    case 10:
        world_reap(world);
        return;
    case 11:
        world_pass(world, (uint64_t)detail * 5000);
        return;
    case 12:
        restart(world, instance, (instance - 1) % N_PROVIDERS, ++*generation);
        return;
    case 13:
        reserve(world, client, detail);
        return;
    case 14:
        if (what / 24 > 2) {
            stream(world, detail);
        } else {
            ask_about_memory(world, client, detail & 0x80);
        }
        return;
    case 15:
        if (what / 24 > 4) {
            stream(world, detail);
        } else {
            world_send(world, client, WIRE_TYPE_RELEASE,
                       &(struct wire_release){.content_id = 1 + detail % 4});
        }
        return;
    case 16:
        world_send(world, client, WIRE_TYPE_CANCEL, &(struct wire_cancel){.id = 1 + detail % 32});
        return;
    case 17:
        world->will_hash_later = detail & 1;
        world_hash(world);
        return;
    case 18:
        world_send(world, client, WIRE_TYPE_QUERY,
                   &(struct wire_query){.id = 1, .what = detail % 4});
        return;
    case 19:
        world_send(world, client, WIRE_TYPE_DONE,
                   &(struct wire_done){.id = detail, .did = detail % 8});
        return;
    default:
        happen_seldom(world, what / 24, detail, generation);
        return;
    }
}

void drive(struct world *world, const uint8_t *choices, size_t n_choices)
{
    uint64_t generation = 1;

    world->beginnings = 5;
    world_configure(world, N_PROVIDERS, 2);
    for (uint32_t i = 0; i < N_PROVIDERS; i++) {
        world_start_provider(world, i, i + 1, generation);
    }
    for (size_t i = 0; i + 1 < n_choices && !world->has_exited; i += 2) {
        if (choices[i] >= 250) {
            /* The rest of the bytes, up to 64, as somebody's message. */
            size_t n_bytes = n_choices - i - 2 < 64 ? n_choices - i - 2 : 64;

            if (choices[i] & 1) {
                /* A well-formed question, or end of a stream, would not be in the world's books. */
                struct wire_fault fault;
                int r = wire_decode(world->frame, choices + i + 2, n_bytes, &fault);

                if (r != 0 || (world->frame->type != WIRE_TYPE_ASK &&
                               world->frame->type != WIRE_TYPE_SEGMENT)) {
                    send_bytes(world, 1 + choices[i + 1] % WORLD_CLIENTS, choices + i + 2, n_bytes);
                }
            } else {
                worker_bytes(world, 1 + choices[i + 1] % WORLD_INSTANCES, 0, choices + i + 2,
                             n_bytes);
            }
        } else {
            happen(world, choices[i], choices[i + 1], &generation);
        }
    }
    /* In the end everybody still there gets an answer to everything. */
    world_pass(world, CORE_MAX_TIME_US + UINT64_C(10000000));
    world_reap(world);
    world_hash(world);
    if (world->core.n_questions > 0 && !world->has_exited) {
        abort();
    }
    world_fini(world);
}

/*
 * The world around a broker's core.
 *
 * What must hold after every step is checked here and not in the tests, so that each of them checks
 * it: a question is answered once and only if it was asked; an answer does not contradict itself; a
 * worker gets one scan at a time and of one user only; nothing is sent to whom is gone; what is
 * made is freed, and charged until then; whoever is configured is there; what is counted adds up,
 * and against nobody who never had a part in it.
 */
#include "world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/content.h"
#include "wire/name_table.h"
#include "wire/verdict_rank.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "seed %llu, step %llu: broken: %s (%s:%d)\n",                          \
                    (unsigned long long)world->seed, (unsigned long long)world->n_steps,           \
                    #condition, __FILE__, __LINE__);                                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static size_t encode(enum wire_type type, const void *message, uint8_t *buffer)
{
    size_t n_bytes = 0;

    if (wire_encode(type, message, buffer, WIRE_MESSAGE_BYTES_MAX, &n_bytes) != 0) {
        abort();
    }
    return n_bytes;
}

/* Nothing depends on it, its silence included. */
static bool is_advisory(struct world *world, struct wire_bytes name)
{
    const struct provider *provider =
        core_find_provider(&world->core, (const char *)name.data, name.size);

    for (size_t i = 0; i < world->n_configured; i++) {
        MUST(provider || strlen(world->configured[i]) != name.size ||
             memcmp(world->configured[i], name.data, name.size) != 0);
    }
    return !provider || provider->is_advisory; /* or it was removed in this very step */
}

/* SPEC 5.1, 5.2, 11: however a worker lies, what it says of its part is of one piece. */
static void check_part(struct world *world, const struct wire_part *part, uint64_t content_bytes)
{
    MUST(part->status != PES_STATUS_NONE);
    MUST(part->bytes_examined <= content_bytes);
    MUST(part->coverage != PES_COVERAGE_FULL || part->bytes_examined == content_bytes);
    MUST(part->n_findings_total >= part->n_findings);
    for (size_t i = 1; i < part->n_findings; i++) {
        MUST(verdict_rank(part->findings[i].verdict) <=
             verdict_rank(part->findings[i - 1].verdict));
    }
    MUST(!verdict_is_finding(part->verdict) ||
         (part->n_findings > 0 && part->findings[0].verdict == part->verdict));
}

static void note_answer(struct world *world, struct world_client *client, const uint8_t *bytes,
                        size_t n_bytes)
{
    const struct wire_answer *answer = &world->frame->answer;

    MUST(answer->id < WORLD_ASKS);
    MUST(client->is_asked[answer->id]);
    MUST(!client->is_answered[answer->id]);
    MUST(answer->action == PES_GO || answer->action == PES_ASK || answer->action == PES_STOP);
    MUST(answer->disposition != PES_DISPOSITION_NONE);
    MUST(answer->coverage != PES_COVERAGE_NONE);
    MUST(answer->ref.size > 0);
    MUST(answer->verdict != PES_VERDICT_KNOWN_GOOD || answer->coverage == PES_COVERAGE_FULL);
    for (size_t i = 0; i < answer->n_parts; i++) {
        check_part(world, &answer->parts[i], answer->content_bytes);
        /* None good without its provider. */
        MUST(answer->parts[i].status == PES_STATUS_OK ||
             answer->parts[i].status == PES_STATUS_NOT_COMPETENT ||
             is_advisory(world, answer->parts[i].name) || answer->coverage != PES_COVERAGE_FULL);
    }
    /* Nobody has seen what has not come. */
    MUST(!client->is_unended[answer->id] || answer->coverage != PES_COVERAGE_FULL);
    MUST(!client->is_unended[answer->id] || answer->digest.size == 0);
    world->n_early += client->is_unended[answer->id] && verdict_is_finding(answer->verdict);
    client->is_answered[answer->id] = 1;
    client->n_open--;
    client->n_answers++;
    memcpy(world->answer_bytes, bytes, n_bytes);
    if (wire_decode(world->frame, world->answer_bytes, n_bytes, &(struct wire_fault){0}) == 0) {
        world->answer = world->frame->answer;
    }
}

static void on_send(struct world *world, const struct action *action)
{
    struct world_client *client = &world->clients[action->session];
    const uint8_t *bytes = world->actions.bytes + action->message;
    struct wire_fault fault;

    MUST(action->session >= 1 && action->session <= WORLD_CLIENTS);
    if (!client->is_open) {
        return; /* a farewell before a close in the same step */
    }
    MUST(wire_decode(world->frame, bytes, action->n_message, &fault) == 0);
    if (world->frame->type == WIRE_TYPE_ANSWER) {
        note_answer(world, client, bytes, action->n_message);
    } else if (world->frame->type == WIRE_TYPE_WELCOME) {
        client->is_welcome = true;
    } else if (world->frame->type == WIRE_TYPE_REFUSAL) {
        client->was_refused = client->was_refused || world->frame->refusal.is_fatal;
        client->last_error = world->frame->refusal.error;
    } else if (world->frame->type == WIRE_TYPE_RESERVED) {
        MUST(action->content != 0 && world->has_memory[action->content]);
        client->n_reserved++;
        client->n_unread_fds++;
        client->reserved_id = world->frame->reserved.content_id;
    } else if (world->frame->type == WIRE_TYPE_SERVICE || world->frame->type == WIRE_TYPE_REPORT) {
        memcpy(world->last_service, bytes, action->n_message);
        world->n_last_service = action->n_message;
    }
}

/* Whoever is asked about memory gets as many bytes as it is told. */
static void check_memory(struct world *world, const struct action *action,
                         const struct wire_scan *scan)
{
    const struct content *content = handles_get(&world->core.contents, action->content);

    MUST(content && world->has_memory[action->content]);
    MUST(world->memory_bytes[action->content] == scan->content_bytes);
    world->n_looks += content->state == CONTENT_OPEN;
    world->n_rows += content->state != CONTENT_OPEN && content->n_segments > 0;
}

static void on_worker_send(struct world *world, const struct action *action)
{
    struct world_worker *worker = &world->instances[action->instance].workers[action->slot];
    const struct wire_scan *scan = &world->frame->scan;
    struct wire_fault fault;
    uint32_t uid = 0;

    MUST(worker->is_alive && !worker->is_dying);
    MUST(worker->generation == action->generation);
    MUST(worker->scan == 0);
    MUST(wire_decode(world->frame, world->actions.bytes + action->message, action->n_message,
                     &fault) == 0);
    MUST(world->frame->type == WIRE_TYPE_SCAN && scan->id != 0);
    if (action->content != 0) {
        check_memory(world, action, scan);
    }
    for (size_t i = 0; i < scan->n_verified; i++) {
        uid = scan->verified[i].field == PES_VERIFIED_UID ? (uint32_t)scan->verified[i].value : uid;
    }
    MUST(!worker->has_uid || worker->uid == uid); /* one user per worker */
    worker->has_uid = true;
    worker->uid = uid;
    worker->scan = scan->id;
    worker->scan_bytes = scan->content_bytes;
}

static void on_spawn(struct world *world, const struct action *action)
{
    struct world_instance *instance = &world->instances[action->instance];
    struct world_worker *worker = &instance->workers[action->slot];

    MUST(instance->is_used);
    MUST(!worker->is_alive && !worker->is_dying);
    *worker = (struct world_worker){.is_alive = true, .generation = action->generation};
}

static void on_kill(struct world *world, const struct action *action)
{
    struct world_worker *worker = &world->instances[action->instance].workers[action->slot];

    MUST(worker->is_alive && worker->generation == action->generation);
    worker->is_dying = true;
}

/* Outcomes that come at once; returns whether there was one. */
static bool next_event(struct world *world, const struct action *action, struct event *ret_event)
{
    static const uint8_t digest[SHA256_DIGEST_BYTES] = {1, 2, 3};

    switch (action->type) {
    case ACTION_CONTENT_MAKE:
        MUST(action->content < 1024 && !world->has_memory[action->content]);
        world->has_memory[action->content] = true;
        world->memory_bytes[action->content] = action->n_bytes;
        *ret_event = (struct event){
            .type = EVENT_CONTENT_MADE,
            .content = action->content,
            .error = world->is_out_of_memory ? -ENOMEM : 0,
        };
        return true;
    case ACTION_CONTENT_CHECK:
        MUST(world->has_memory[action->content]);
        *ret_event = (struct event){
            .type = EVENT_CONTENT_CHECKED,
            .content = action->content,
            .error = world->is_bad_content ? -EBADMSG : 0,
        };
        return true;
    case ACTION_CONTENT_HASH:
        MUST(world->has_memory[action->content]);
        if (world->will_hash_later && world->n_to_hash < 64) {
            world->to_hash[world->n_to_hash++] = action->content;
            return false;
        }
        *ret_event = (struct event){
            .type = EVENT_CONTENT_HASHED, .content = action->content, .digest = digest};
        return true;
    default:
        return false;
    }
}

static void perform(struct world *world, const struct action *action)
{
    switch (action->type) {
    case ACTION_SESSION_SEND:
        on_send(world, action);
        return;
    case ACTION_SESSION_CLOSE:
        world->clients[action->session].is_open = false;
        return;
    case ACTION_WORKER_SPAWN:
        on_spawn(world, action);
        return;
    case ACTION_WORKER_SEND:
        on_worker_send(world, action);
        return;
    case ACTION_WORKER_KILL:
        on_kill(world, action);
        return;
    case ACTION_INSTANCE_STOP:
        world->instances[action->instance] = (struct world_instance){0};
        return;
    case ACTION_CONTENT_JOIN:
        MUST(action->content < 1024 && world->has_memory[action->segment]);
        MUST(world->memory_bytes[action->segment] > 0);
        world->has_memory[action->segment] = false;
        world->has_memory[action->content] = true;
        world->memory_bytes[action->content] += world->memory_bytes[action->segment];
        world->memory_bytes[action->segment] = 0;
        return;
    case ACTION_CONTENT_FREE:
        MUST(world->has_memory[action->content]);
        world->has_memory[action->content] = false;
        world->memory_bytes[action->content] = 0;
        return;
    case ACTION_EXIT:
        world->has_exited = true;
        return;
    case ACTION_ADMIT_NONE:
        world->admits_none = true;
        return;
    case ACTION_LOG:
        world->n_logged[action->log]++;
        return;
    case ACTION_LAUNCHER_SEND:
        MUST(wire_decode(world->frame, world->actions.bytes + action->message, action->n_message,
                         &(struct wire_fault){0}) == 0);
        world->said_ready = world->said_ready || world->frame->type == WIRE_TYPE_READY;
        return;
    case ACTION_IDENTIFY:
    case ACTION_WORKER_CLOSE:
    case ACTION_CONTENT_MAKE:
    case ACTION_CONTENT_CHECK:
    case ACTION_CONTENT_HASH:
        return;
    }
}

static void check_providers(struct world *world)
{
    for (size_t i = 0; i < world->n_configured && !world->core.is_draining; i++) {
        const char *name = world->configured[i];
        const struct provider *provider = core_find_provider(&world->core, name, strlen(name));

        MUST(provider && provider->is_configured);
    }
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        const struct provider_stats *stats = &world->core.providers[i].stats;

        MUST(world->core.n_questions > 0 || world->core.providers[i].n_parts == 0);
        /* Nothing counts against who never got it. */
        MUST(stats->n_answers + stats->n_timeouts <= stats->n_scans);
        MUST(stats->n_would_block <= stats->n_found && stats->n_found <= stats->n_answers);
    }
}

/* The parts of every sum are all there. */
static void check_sums(struct world *world)
{
    const struct stats *stats = &world->core.stats;
    uint64_t n_scans = 0, n_of_kinds = 0, wait_us = 0, wait_of_kinds_us = 0;

    for (size_t i = 0; i <= STATS_CLIENTS_MAX; i++) {
        n_scans += stats->clients[i].count;
        wait_us += stats->clients[i].wait_us;
    }
    for (size_t i = 0; i < STATS_KINDS_MAX; i++) {
        n_of_kinds += stats->kinds[i].count;
        wait_of_kinds_us += stats->kinds[i].wait_us;
    }
    MUST(n_scans == stats->n_scans && n_of_kinds == stats->n_scans);
    MUST(wait_us == stats->wait_us && wait_of_kinds_us == stats->wait_us);
    MUST(attribution_total_us(stats->sets.sets, stats->sets.n) == stats->wait_us);
    /* Nobody waited for the broker before there was one. */
    MUST(stats->wait.max_us <= world->now_us - world->core.started_us);
}

/* All memory is in the count that the status shows, and charged to somebody. */
static void check_held(struct world *world)
{
    uint64_t n_bytes = 0;

    for (size_t i = 0; i < 1024; i++) {
        MUST(world->has_memory[i] == (world->memory_bytes[i] > 0));
        n_bytes += world->memory_bytes[i];
    }
    MUST(n_bytes == world->core.content_bytes);
    MUST(n_bytes <= world->core.quota.total[QUOTA_BYTES]);
}

static void check(struct world *world)
{
    size_t n_open = 0;

    check_providers(world);
    check_sums(world);
    check_held(world);

    MUST(!world->actions.is_broken);
    for (size_t i = 1; i <= WORLD_CLIENTS; i++) {
        n_open += world->clients[i].is_open ? world->clients[i].n_open : 0;
    }
    MUST(world->core.n_questions == n_open);
    for (size_t i = 0; i < QUOTA_N_KINDS; i++) {
        uint64_t total = 0;

        LIST_FOR_EACH (node, &world->core.quota.users) {
            const struct quota_user *user = CONTAINER_OF(node, struct quota_user, node);

            MUST(user->used[i] <= world->core.quota.limit[i] || world->has_new_limits);
            total += user->used[i];
        }
        MUST(total == world->core.quota.total[i]);
    }
}

void world_feed(struct world *world, struct event event)
{
    struct event next[256];
    size_t n_next = 0;

    if (world->is_lost) {
        return;
    }
    world->n_steps++;
    if (world->on_step) {
        world->on_step(true);
    }
    core_step(&world->core, &event, world->now_us, &world->actions);
    if (world->on_step) {
        world->on_step(false);
    }
    if (world->actions.is_broken) {
        world->is_lost = true;
        return;
    }
    for (size_t i = 0; i < world->actions.n_items; i++) {
        struct event follows;

        perform(world, &world->actions.items[i]);
        if (next_event(world, &world->actions.items[i], &follows) && n_next < 256) {
            next[n_next++] = follows;
        }
    }
    for (size_t i = 0; i < n_next; i++) {
        world_feed(world, next[i]);
    }
    if (n_next == 0) {
        check(world);
    }
}

void world_init(struct world *world, uint64_t seed)
{
    const struct core_machine machine = {.memory_bytes = UINT64_C(1) << 30, .n_files = 4096};

    memset(world, 0, sizeof(*world));
    world->now_us = 1000000;
    world->seed = seed;
    world->frame = malloc(sizeof(*world->frame));
    if (!world->frame || core_init(&world->core, seed, &machine, world->now_us) < 0) {
        abort();
    }
}

void world_fini(struct world *world)
{
    for (uint32_t i = 1; i <= WORLD_CLIENTS; i++) {
        if (world->clients[i].is_open) {
            world_disconnect(world, i);
        }
    }
    world_hash(world);
    MUST(world->is_lost || world->core.n_questions == 0);
    MUST(world->is_lost || world->core.content_bytes == 0);
    for (size_t i = 0; i < 1024; i++) {
        MUST(world->is_lost || !world->has_memory[i]);
    }
    core_fini(&world->core);
    action_list_fini(&world->actions);
    free(world->frame);
}

static void note_configure(struct world *world, const struct wire_configure *configure)
{
    world->n_configured = configure->n_providers;
    for (size_t i = 0; i < world->n_configured; i++) {
        core_copy_text(world->configured[i], sizeof(world->configured[i]),
                       configure->providers[i].name);
    }
}

void world_launcher(struct world *world, enum wire_type type, const void *message,
                    uint32_t instance)
{
    uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];
    size_t n_bytes = encode(type, message, buffer);

    if (instance) {
        world->instances[instance].is_used = true;
    }
    if (type == WIRE_TYPE_CONFIGURE) {
        note_configure(world, message);
    }
    world_feed(world, (struct event){.type = EVENT_LAUNCHER,
                                     .bytes = buffer,
                                     .n_bytes = n_bytes,
                                     .instance = instance});
}

void world_configure(struct world *world, size_t n_providers, uint32_t n_workers)
{
    static const char *const names[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"};
    struct wire_configure configure = {
        .generation = 1, .mode = PES_MODE_ENFORCE, .n_providers = n_providers};

    for (size_t i = 0; i < n_providers; i++) {
        configure.providers[i] = (struct wire_config_provider){
            .name = wire_text(names[i]), .n_workers = n_workers, .is_unsigned = 1};
    }
    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
}

void world_load_provider(struct world *world, size_t index, uint32_t instance, uint64_t generation)
{
    char name[8];
    struct wire_instance message = {.generation = generation,
                                    .is_accepted = world->is_accepted ? 1 : 0};

    snprintf(name, sizeof(name), "p%zu", index);
    message.name = wire_text(name);
    world->instances[instance].provider = index;
    world_launcher(world, WIRE_TYPE_INSTANCE, &message, instance);
}

void world_describe_provider(struct world *world, size_t index, uint32_t instance)
{
    char name[8];
    const struct instance *before = handles_get(&world->core.instances, instance);
    const struct instance *serving = before ? provider_serving(before->provider) : NULL;
    bool proves_less = serving && !before->is_accepted && before->state == INSTANCE_LOADING &&
                       (serving->proof.test_strings & ~world->test_strings ||
                        (serving->proof.n_samples > 0 && world->n_samples == 0));
    struct wire_describe describe = {.version = wire_text("1.0"),
                                     .definitions = wire_text("d1"),
                                     .n_samples = world->n_samples,
                                     .test_strings = world->test_strings,
                                     .takes_beginnings =
                                         index < 32 && world->beginnings >> index & 1};
    uint8_t payload[WIRE_MESSAGE_BYTES_MAX];
    struct init_event init = {
        .version = INIT_CHANNEL_VERSION,
        .type = INIT_READY,
        .slot = world->n_slots ? world->n_slots : INIT_SLOTS_MAX,
    };

    snprintf(name, sizeof(name), "p%zu", index);
    describe.name = wire_text(name);
    for (uint32_t kind = 1; kind <= 60; kind++) {
        describe.kinds[describe.n_kinds++] = kind;
    }
    init.n_payload = (uint32_t)encode(WIRE_TYPE_DESCRIBE, &describe, payload);
    world_feed(world, (struct event){
                          .type = EVENT_INIT,
                          .instance = instance,
                          .init = &init,
                          .bytes = payload,
                          .n_bytes = init.n_payload,
                      });
    MUST(!proves_less || !world->instances[instance].is_used); /* it never served */
}

void world_describe_badly(struct world *world, uint32_t instance)
{
    const struct init_event init = {
        .version = INIT_CHANNEL_VERSION, .type = INIT_READY, .n_payload = 4};
    const struct instance *before = handles_get(&world->core.instances, instance);
    bool loads = before && before->state == INSTANCE_LOADING;

    world_feed(world, (struct event){.type = EVENT_INIT,
                                     .instance = instance,
                                     .init = &init,
                                     .bytes = (const uint8_t *)"dice",
                                     .n_bytes = 4});
    MUST(!loads || !world->instances[instance].is_used); /* it was ended */
}

void world_start_provider(struct world *world, size_t index, uint32_t instance, uint64_t generation)
{
    world_load_provider(world, index, instance, generation);
    world_describe_provider(world, index, instance);
}

void world_open(struct world *world, uint32_t client, uint32_t uid, uint32_t can)
{
    struct wire_hello hello = {
        .version_min = 1, .version_max = 1, .app_name = wire_text("test"), .can = can};
    struct event event = {.type = EVENT_SESSION_OPENED,
                          .session = client,
                          .peer = {uid, uid, 100 + client, uid == 0}};

    world->clients[client] = (struct world_client){.is_open = true, .uid = uid};
    world_feed(world, event);
    world_send(world, client, WIRE_TYPE_HELLO, &hello);
}

static void identify(struct world *world, uint32_t client, bool is_own)
{
    struct identity_record record = {
        .version = IDENTITY_CHANNEL_VERSION, .session = client, .is_own = is_own};

    /* As long as they come, since they travel beside whatever the client says. */
    memset(record.cgroup, 'c', sizeof(record.cgroup) - 1);
    memset(record.lsm_label, 'l', sizeof(record.lsm_label) - 1);
    snprintf(record.exe_path, sizeof(record.exe_path), "/%0*d/app%u", 504, 0, client);
    if (world->clients[client].is_open) {
        world_feed(world,
                   (struct event){.type = EVENT_IDENTITY, .session = client, .identity = &record});
    }
}

void world_identify(struct world *world, uint32_t client)
{
    identify(world, client, false);
}

void world_identify_own(struct world *world, uint32_t client)
{
    identify(world, client, true);
}

void world_connect(struct world *world, uint32_t client, uint32_t uid, uint32_t can)
{
    world_open(world, client, uid, can);
    world_identify(world, client);
}

void world_disconnect(struct world *world, uint32_t client)
{
    world->clients[client].is_open = false;
    world_feed(world, (struct event){.type = EVENT_SESSION_CLOSED, .session = client});
}

void world_send(struct world *world, uint32_t client, enum wire_type type, const void *message)
{
    const struct wire_segment *segment = message;
    struct world_client *who = &world->clients[client];
    uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];
    size_t n_bytes = encode(type, message, buffer);

    if (type == WIRE_TYPE_SEGMENT && segment->is_last &&
        segment->stream_id == who->last_stream_id) {
        who->is_unended[who->last_stream_ask] = 0;
    }
    if (who->is_open) {
        world_feed(world, (struct event){.type = EVENT_SESSION_MESSAGE,
                                         .session = client,
                                         .bytes = buffer,
                                         .n_bytes = n_bytes});
    }
}

void world_ask_with(struct world *world, uint32_t client, struct wire_ask *ask)
{
    struct world_client *who = &world->clients[client];

    if (!who->is_open) {
        return;
    }
    ask->id = ++who->last_id;
    MUST(ask->id < WORLD_ASKS);
    who->is_asked[ask->id] = 1;
    who->n_open++;
    if (ask->stream_id) {
        who->last_stream_id = ask->stream_id;
        who->last_stream_ask = ask->id;
        who->is_unended[ask->id] = 1;
    }
    world_send(world, client, WIRE_TYPE_ASK, ask);
}

uint64_t world_ask(struct world *world, uint32_t client, uint32_t kind, uint64_t time_left_us,
                   uint32_t flags)
{
    char content[16];
    struct wire_ask ask = {
        .kind = kind,
        .time_left_us = time_left_us,
        .flags = flags,
    };

    /* Different bytes each time, or what crashes a worker once would never reach another. */
    snprintf(content, sizeof(content), "b%09u", (unsigned)world->clients[client].last_id);
    ask.content = wire_text(content);
    world_ask_with(world, client, &ask);
    return ask.id;
}

bool world_say(struct world *world, uint32_t instance, uint32_t slot, struct wire_result *result)
{
    struct world_worker *worker = &world->instances[instance].workers[slot];
    uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];
    struct event event = {.type = EVENT_WORKER_MESSAGE,
                          .instance = instance,
                          .slot = slot,
                          .generation = worker->generation};

    if (!worker->is_alive || worker->is_dying || worker->scan == 0) {
        return false;
    }
    result->id = worker->scan;
    worker->scan = 0;
    event.bytes = buffer;
    event.n_bytes = encode(WIRE_TYPE_RESULT, result, buffer);
    world_feed(world, event);
    return true;
}

bool world_answer(struct world *world, uint32_t instance, uint32_t slot, uint32_t verdict)
{
    struct wire_result result = {
        .verdict = verdict,
        .coverage = PES_COVERAGE_FULL,
        .bytes_examined = world->instances[instance].workers[slot].scan_bytes,
        .cpu_us = 500,
    };

    if (verdict >= PES_VERDICT_SUSPICIOUS && verdict <= PES_VERDICT_TEST_SAMPLE) {
        result.findings[0] =
            (struct wire_finding){.verdict = verdict, .detection = wire_text("Test.Finding")};
        result.n_findings = result.n_findings_total = 1;
    }
    return world_say(world, instance, slot, &result);
}

void world_die(struct world *world, uint32_t instance, uint32_t slot, uint32_t how, int value)
{
    struct world_worker *worker = &world->instances[instance].workers[slot];
    struct init_event init = {
        .version = INIT_CHANNEL_VERSION,
        .type = INIT_EXITED,
        .slot = slot,
        .how = how,
        .value = value,
        .generation = worker->generation,
    };

    if (!worker->is_alive) {
        return;
    }
    *worker = (struct world_worker){0};
    world_feed(world, (struct event){.type = EVENT_INIT, .instance = instance, .init = &init});
}

void world_reap(struct world *world)
{
    for (uint32_t i = 1; i <= WORLD_INSTANCES; i++) {
        for (uint32_t slot = 0; slot < PROVIDER_SLOTS_MAX; slot++) {
            if (world->instances[i].workers[slot].is_dying) {
                world_die(world, i, slot, INIT_EXIT_SIGNAL, 9);
            }
        }
    }
}

void world_hash(struct world *world)
{
    static const uint8_t digest[SHA256_DIGEST_BYTES] = {1, 2, 3};

    while (world->n_to_hash > 0) {
        uint32_t content = world->to_hash[--world->n_to_hash];

        world_feed(world, (struct event){
                              .type = EVENT_CONTENT_HASHED, .content = content, .digest = digest});
    }
}

void world_pass(struct world *world, uint64_t us)
{
    uint64_t end_us = world->now_us + us;

    while (core_next_deadline_us(&world->core) <= end_us) {
        uint64_t due_us = core_next_deadline_us(&world->core);

        world->now_us = due_us > world->now_us ? due_us : world->now_us;
        world_feed(world, (struct event){.type = EVENT_TIMER});
    }
    world->now_us = end_us;
}

/* What one client, user or worker cannot do to the others and to the broker. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "world.h"

#define SECOND UINT64_C(1000000)

static int set_up(void **state)
{
    struct world *world = malloc(sizeof(*world));

    world_init(world, 42);
    world_configure(world, 1, 2);
    world_start_provider(world, 0, 1, 1);
    world_connect(world, 1, 1000, PES_CAN_STOP | PES_CAN_ASK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

/* SPEC 4.1: what the broker verified must fit beside what the client said. */
static void a_question_as_large_as_a_message_does_not_end_the_broker(void **state)
{
    struct world *world = *state;
    static char content[WIRE_INLINE_BYTES_MAX];
    static char text[4000];
    static uint8_t buffer[WIRE_MESSAGE_BYTES_MAX];
    struct wire_ask question = {.id = 1,
                                .kind = PES_KIND_SCRIPT_SHELL,
                                .content = {(const uint8_t *)content, sizeof(content)}};
    size_t n_bytes;

    for (size_t size = 0; size < 4000; size += 7) {
        question.n_context = 0;
        for (size_t i = 0; i < 8; i++) {
            question.context[i] = (struct wire_item){.field = PES_SUBJECT_PATH,
                                                     .text = {(const uint8_t *)text, 3600}};
        }
        question.context[8] =
            (struct wire_item){.field = PES_SUBJECT_NAME, .text = {(const uint8_t *)text, size}};
        question.n_context = 9;
        if (wire_encode(WIRE_TYPE_ASK, &question, buffer, sizeof(buffer), &n_bytes) != 0) {
            break;
        }
        world_ask_with(world, 1, &question);
        if (world->answer.error == 0) {
            world_answer(world, 1, 0, PES_VERDICT_NOT_DETECTED);
        }
    }
    assert_int_equal(world->answer.error, PES_E_TOO_LARGE);
    assert_true(world->clients[1].is_open);
}

static void lend_and_ask(struct world *world, uint32_t client, uint64_t content_id)
{
    struct wire_reserve reserve = {.content_id = content_id, .bytes = 100000};
    struct wire_ask question = {
        .kind = PES_KIND_DOCUMENT_PDF, .content_id = content_id, .content_bytes = 100000};

    world_send(world, client, WIRE_TYPE_RESERVE, &reserve);
    world_ask_with(world, client, &question);
}

static void a_broker_that_ends_gives_back_what_is_still_being_hashed(void **state)
{
    static struct world other;

    (void)state;
    world_init(&other, 1);
    world_configure(&other, 1, 1);
    world_start_provider(&other, 0, 1, 1);
    world_connect(&other, 1, 1000, 0);
    other.will_hash_later = true;
    lend_and_ask(&other, 1, 1);
    world_disconnect(&other, 1);
    world_launcher(&other, WIRE_TYPE_DRAIN, &(struct wire_drain){.grace_ms = 1000}, 0);
    assert_true(other.has_exited);
    core_fini(&other.core);
    action_list_fini(&other.actions);
    free(other.frame);
}

/* Each reservation is a descriptor of the broker's, however small. */
static void descriptors_do_not_run_out_by_tiny_reservations(void **state)
{
    struct world *world = *state;
    struct wire_reserve reserve = {.bytes = 1};

    while (world->clients[1].last_error == 0 && reserve.content_id < 1020) {
        reserve.content_id++;
        world_send(world, 1, WIRE_TYPE_RESERVE, &reserve);
    }
    assert_int_equal(world->clients[1].last_error, PES_E_QUOTA);
}

static size_t n_workers_of(const struct world *world, uint32_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < PROVIDER_SLOTS_MAX; i++) {
        const struct world_worker *worker = &world->instances[1].workers[i];

        n += worker->is_alive && !worker->is_dying && worker->scan && worker->uid == uid;
    }
    return n;
}

/* One that has work and is not this user's answers; whoever it was replaced for gets its turn. */
static void finish_one_of(struct world *world, uint32_t uid)
{
    for (uint32_t i = 0; i < PROVIDER_SLOTS_MAX; i++) {
        const struct world_worker *worker = &world->instances[1].workers[i];

        if (worker->is_alive && worker->scan && worker->uid == uid) {
            world_answer(world, 1, i, PES_VERDICT_NOT_DETECTED);
            world_reap(world);
            return;
        }
    }
}

static void ask_the_same(struct world *world, uint32_t client)
{
    struct wire_ask question = {.kind = PES_KIND_SCRIPT_SHELL,
                                .time_left_us = SECOND,
                                .content = wire_text("the same bytes")};

    world_ask_with(world, client, &question);
}

static void c12_a_user_with_many_questions_does_not_keep_the_workers_to_itself(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 1001, 0);
    for (int i = 0; i < 200; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
    }
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
    assert_int_equal(n_workers_of(world, 1000), 2);
    finish_one_of(world, 1000);
    assert_int_equal(n_workers_of(world, 1001), 1);
    assert_int_equal(n_workers_of(world, 1000), 1);
}

static void c13_users_with_much_to_ask_share_the_workers(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 1001, 0);
    for (int i = 0; i < 100; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
        world_ask(world, 2, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
    }
    /* However fast the one's questions are, the other's slow one keeps no more than its worker. */
    for (int i = 0; i < 50; i++) {
        finish_one_of(world, 1000);
        assert_int_equal(n_workers_of(world, 1000), 1);
        assert_int_equal(n_workers_of(world, 1001), 1);
    }
    assert_true(world->clients[1].n_answers >= 49);
}

static void c12_users_take_turns_when_there_are_more_of_them_than_workers(void **state)
{
    struct world *world = *state;

    for (uint32_t client = 2; client <= 4; client++) {
        world_connect(world, client, 1000 + client, 0);
    }
    for (int i = 0; i < 100; i++) {
        for (uint32_t client = 1; client <= 3; client++) {
            world_ask(world, client, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
        }
    }
    world_ask(world, 4, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0); /* last of all */
    for (int i = 0; i < 8 && world->clients[4].n_answers == 0; i++) {
        for (uint32_t slot = 0; slot < 2; slot++) {
            world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED);
            world_reap(world);
        }
    }
    assert_int_equal(world->clients[4].n_answers, 1);
}

/* How long a question of each user is worked on; begins when a worker has it. */
struct load {
    uint32_t client;
    size_t n_wanted; /* open questions that it keeps up */
    uint64_t scan_us;
};

/* Lets users ask for so long, each keeping up its questions; what they were answered is counted. */
static void run_load(struct world *world, const struct load *loads, size_t n_loads,
                     uint64_t time_us)
{
    uint64_t scans[PROVIDER_SLOTS_MAX] = {0}, began_us[PROVIDER_SLOTS_MAX] = {0};

    for (uint64_t end_us = world->now_us + time_us; world->now_us < end_us;) {
        for (size_t i = 0; i < n_loads; i++) {
            const struct world_client *client = &world->clients[loads[i].client];

            while (client->n_open < loads[i].n_wanted && client->last_id + 1 < WORLD_ASKS) {
                world_ask(world, loads[i].client, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
            }
        }
        for (uint32_t slot = 0; slot < 2; slot++) {
            const struct world_worker *worker = &world->instances[1].workers[slot];

            if (worker->scan != scans[slot]) {
                scans[slot] = worker->scan;
                began_us[slot] = world->now_us;
            }
            for (size_t i = 0; i < n_loads; i++) {
                if (worker->scan && world->clients[loads[i].client].uid == worker->uid &&
                    world->now_us - began_us[slot] >= loads[i].scan_us) {
                    world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED);
                    break;
                }
            }
        }
        world_reap(world);
        world_pass(world, 1000);
    }
}

/* C12: a hundred times as many questions do not get more than what the other leaves. */
static void c12_r16_a_flood_leaves_another_user_its_half(void **state)
{
    struct world *world = *state;
    static const struct load loads[] = {{1, 200, 10000}, {2, 2, 10000}};

    world_connect(world, 2, 1001, 0);
    run_load(world, loads, 2, 10 * SECOND);
    print_message("# flood: %zu answers, beside it: %zu\n", world->clients[1].n_answers,
                  world->clients[2].n_answers);
    assert_true(world->clients[2].n_answers * 10 >=
                (world->clients[1].n_answers + world->clients[2].n_answers) * 4);
}

/* C13: who asks one quick question after the other is not held up by 5 s scans of somebody else. */
static void c13_slow_content_costs_another_user_less_than_half_its_speed(void **state)
{
    struct world *world = *state;
    static const struct load loads[] = {{2, 1, 10000}, {1, 50, 5 * SECOND}};
    size_t n_alone;

    world_connect(world, 2, 1001, 0);
    run_load(world, loads, 1, 15 * SECOND);
    n_alone = world->clients[2].n_answers;
    run_load(world, loads, 2, 15 * SECOND);
    print_message("# alone: %zu answers, beside slow content: %zu\n", n_alone,
                  world->clients[2].n_answers - n_alone);
    assert_true((world->clients[2].n_answers - n_alone) * 100 >= n_alone * 45);
    assert_true(world->clients[1].n_answers >= 2); /* and it is served, too */
}

/* C13: with fewer workers than users, time counts: quick questions are answered more often. */
static void c13_time_counts_and_not_the_number_of_questions(void **state)
{
    struct world *world = *state;
    static const struct load loads[] = {{1, 20, 400000}, {2, 20, 20000}, {3, 20, 400000}};

    world_connect(world, 2, 1001, 0);
    world_connect(world, 3, 1002, 0);
    run_load(world, loads, 3, 30 * SECOND);
    print_message("# slow: %zu and %zu answers, quick: %zu\n", world->clients[1].n_answers,
                  world->clients[3].n_answers, world->clients[2].n_answers);
    /* A third of two workers' time is 20 s: a thousand quick ones; 40 % of a fair share at
     * least. */
    assert_true(world->clients[2].n_answers >= 400);
}

static void ask_urgently(struct world *world, uint32_t client, uint32_t latency)
{
    struct wire_ask question = {.kind = PES_KIND_SCRIPT_SHELL,
                                .latency = latency,
                                .time_left_us = 600 * SECOND,
                                .content = wire_text("some bytes")};

    world_ask_with(world, client, &question);
}

/* C21: two connections of one user; what nobody waits for lets the other pass. */
static void c21_what_runs_in_the_background_lets_what_is_waited_for_pass(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 1000, 0);
    for (int i = 0; i < 100; i++) {
        ask_urgently(world, 1, PES_LATENCY_BACKGROUND);
    }
    ask_urgently(world, 2, PES_LATENCY_INTERACTIVE);
    finish_one_of(world, 1000); /* one scan is waited for, and it is the next */
    assert_int_equal(world->clients[2].n_answers, 0);
    for (uint32_t slot = 0; slot < 2; slot++) {
        world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED);
    }
    assert_int_equal(world->clients[2].n_answers, 1);
}

/* C21: saying that it is urgent takes nothing from another user. */
static void c21_urgency_is_nothing_to_another_user(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 1001, 0);
    for (int i = 0; i < 4; i++) {
        ask_urgently(world, 1, PES_LATENCY_INTERACTIVE);
    }
    ask_urgently(world, 2, PES_LATENCY_BACKGROUND);
    finish_one_of(world, 1000);
    assert_int_equal(n_workers_of(world, 1001), 1);
}

/* A worker that was kept for somebody who does not come back is given away. */
static void a_worker_is_not_kept_for_ever(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 1001, 0);
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
    finish_one_of(world, 1001);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 600 * SECOND, 0);
    world_reap(world);
    assert_int_equal(n_workers_of(world, 1000), 1);
    world_pass(world, SHARE_ACTIVE_US);
    world_reap(world);
    assert_int_equal(n_workers_of(world, 1000), 2);
}

/* X3, C20: content that ended a worker does not get another one of this user's. */
static void x3_content_that_crashed_a_worker_is_answered_without_one(void **state)
{
    struct world *world = *state;

    ask_the_same(world, 1);
    world_die(world, 1, 0, INIT_EXIT_SIGNAL, SIGSEGV);
    world_reap(world);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_CRASHED);
    for (int i = 0; i < 10; i++) {
        ask_the_same(world, 1); /* answered in the same step, by nobody */
        assert_int_equal(world->clients[1].n_answers, 2 + i);
        assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
        assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
        assert_int_equal(world->answer.parts[0].status, PES_STATUS_CRASHED);
        assert_int_equal(world->answer.parts[0].signal, SIGSEGV);
    }
    assert_int_equal(world->core.providers[0].stats.n_scans, 1);
    assert_int_equal(world->core.providers[0].stats.n_crashes, 1);
    assert_int_equal(world->n_logged[EV_CONTENT_FUSE], 1);
    world_pass(world, FUSE_TIME_US);
    ask_the_same(world, 1);
    assert_int_equal(world->core.providers[0].stats.n_scans, 2);
}

static void x3_an_update_is_given_what_crashed_the_one_before(void **state)
{
    struct world *world = *state;

    ask_the_same(world, 1);
    world_die(world, 1, 0, INIT_EXIT_SIGNAL, SIGSEGV);
    memcpy(provider_serving(&world->core.providers[0])->definitions, "newer", 6);
    ask_the_same(world, 1);
    assert_int_equal(world->core.providers[0].stats.n_scans, 2);
}

static void x3_a_kill_from_outside_is_not_held_against_the_content(void **state)
{
    struct world *world = *state;

    ask_the_same(world, 1);
    world_die(world, 1, 0, INIT_EXIT_SIGNAL, SIGKILL);
    ask_the_same(world, 1);
    assert_int_equal(world->core.providers[0].stats.n_scans, 2);
}

/* C20: ten thousand of them blind nobody else, and cost nobody his place. */
static void c20_what_crashed_for_one_user_is_scanned_for_another(void **state)
{
    struct world *world = *state;
    struct fuse *fuse = &world->core.fuse;
    struct fuse_key key = {.uid = 7};
    const struct fuse_row how = {.signal = SIGSEGV};

    world_connect(world, 2, 1001, 0);
    ask_the_same(world, 1);
    world_die(world, 1, 0, INIT_EXIT_SIGNAL, SIGSEGV);
    ask_the_same(world, 1);
    assert_int_equal(world->core.providers[0].stats.n_scans, 1);
    for (uint32_t i = 0; i < 10000; i++) {
        memcpy(key.digest, &i, sizeof(i));
        fuse_blow(fuse, &key, &how, world->now_us + i);
    }
    assert_int_equal(fuse->n_rows, 1 + FUSE_ROWS_A_USER);
    ask_the_same(world, 1); /* still known */
    assert_int_equal(world->core.providers[0].stats.n_scans, 1);
    ask_the_same(world, 2);
    world_reap(world);
    assert_int_equal(world->core.providers[0].stats.n_scans, 2);
    finish_one_of(world, 1001);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

/* One waiting question replaces one worker, however many are free. */
static void another_users_question_costs_one_worker(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 1001, 0);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, 0, PES_VERDICT_NOT_DETECTED);
    world_answer(world, 1, 1, PES_VERDICT_NOT_DETECTED);
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    assert_int_equal(n_workers_of(world, 1000), 1); /* goes on with the other of its workers */
    world_reap(world);
    assert_int_equal(n_workers_of(world, 1001), 1);
}

static void a_worker_that_looked_cannot_keep_silent(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, 0, PES_VERDICT_NONE); /* with full coverage */
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_PROTOCOL_ERROR);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
    world_reap(world);
}

static uint64_t wait_of(struct world *world, uint32_t client, uint64_t waited_us)
{
    struct wire_ask question = {
        .kind = PES_KIND_GENERIC, .content = wire_text("x"), .waited_us = waited_us};
    uint64_t before_us = world->core.stats.wait_us;

    world_ask_with(world, client, &question); /* nobody takes it: answered at once */
    return world->core.stats.wait_us - before_us;
}

/* SPEC 4.3: everybody's sums are not one client's to make up. */
static void nobody_has_waited_longer_than_there_was_to_wait_for(void **state)
{
    struct world *world = *state;

    assert_int_equal(wait_of(world, 1, 60 * SECOND), 0); /* the broker has just started */
    world_pass(world, 100 * SECOND);
    assert_int_equal(wait_of(world, 1, UINT64_MAX), 60 * SECOND);
    assert_int_equal(wait_of(world, 1, 3 * SECOND), 3 * SECOND);
    world_connect(world, 2, 1001, 0);
    assert_int_equal(wait_of(world, 2, 60 * SECOND), 2 * SECOND);
    assert_int_equal(wait_of(world, 2, SECOND), SECOND);
    world_pass(world, 5 * SECOND);
    assert_int_equal(wait_of(world, 2, 60 * SECOND), 7 * SECOND);
}

#define MILD                                                                                       \
    {                                                                                              \
        .verdict = PES_VERDICT_POTENTIALLY_UNWANTED                                                \
    }
#define WORST                                                                                      \
    {                                                                                              \
        .verdict = PES_VERDICT_MALICIOUS                                                           \
    }

/* SPEC 11. The question has ten bytes. */
static const struct wire_result contradictions[] = {
    {.verdict = PES_VERDICT_KNOWN_GOOD, .coverage = PES_COVERAGE_FULL},
    {.verdict = PES_VERDICT_NOT_DETECTED, .coverage = PES_COVERAGE_FULL, .bytes_examined = 9},
    {.verdict = PES_VERDICT_NOT_DETECTED,
     .coverage = PES_COVERAGE_PARTIAL_TIME,
     .bytes_examined = 11},
    {.verdict = PES_VERDICT_MALICIOUS,
     .coverage = PES_COVERAGE_FULL,
     .bytes_examined = 10,
     .findings = {MILD, WORST},
     .n_findings = 2,
     .n_findings_total = 2},
    {.verdict = PES_VERDICT_MALICIOUS,
     .coverage = PES_COVERAGE_FULL,
     .bytes_examined = 10,
     .findings = {WORST, MILD},
     .n_findings = 2,
     .n_findings_total = 1},
    {.verdict = PES_VERDICT_POTENTIALLY_UNWANTED,
     .coverage = PES_COVERAGE_FULL,
     .bytes_examined = 10,
     .findings = {WORST},
     .n_findings = 1,
     .n_findings_total = 1},
    {.verdict = PES_VERDICT_NOT_DETECTED,
     .coverage = PES_COVERAGE_FULL,
     .bytes_examined = 10,
     .findings = {MILD},
     .n_findings = 1,
     .n_findings_total = 1},
    {.verdict = PES_VERDICT_MALICIOUS, .coverage = PES_COVERAGE_FULL, .bytes_examined = 10},
};

static void v4_a_result_that_contradicts_itself_is_none(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
        struct wire_result result = contradictions[i];

        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
        assert_true(world_say(world, 1, 0, &result) || world_say(world, 1, 1, &result));
        assert_int_equal(world->answer.parts[0].status, PES_STATUS_PROTOCOL_ERROR);
        assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
        assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
        world_reap(world);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The worker that is asked finds something there. */
static void find_at(struct world *world, const struct wire_evidence *evidence)
{
    struct world_instance *instance = &world->instances[1];
    uint32_t slot = instance->workers[0].scan ? 0 : 1;
    struct wire_result result = {.id = instance->workers[slot].scan,
                                 .verdict = PES_VERDICT_SUSPICIOUS,
                                 .coverage = PES_COVERAGE_FULL,
                                 .bytes_examined = 10,
                                 .n_findings = 1,
                                 .n_findings_total = 1,
                                 .n_evidence = 1};
    uint8_t buffer[WIRE_RESULT_BYTES_MAX];
    size_t n_bytes = 0;

    result.findings[0] = (struct wire_finding){.verdict = PES_VERDICT_SUSPICIOUS,
                                               .detection = wire_text("Test.Finding")};
    result.evidence[0] = *evidence;
    assert_int_equal(wire_encode(WIRE_TYPE_RESULT, &result, buffer, sizeof(buffer), &n_bytes), 0);
    instance->workers[slot].scan = 0;
    world_feed(world, (struct event){
                          .type = EVENT_WORKER_MESSAGE,
                          .instance = 1,
                          .slot = slot,
                          .generation = instance->workers[slot].generation,
                          .bytes = buffer,
                          .n_bytes = n_bytes,
                      });
}

/* In the third, offset and length come to 2^64: a sum of nothing. */
static void evidence_outside_of_the_content_ends_the_worker(void **state)
{
    const struct wire_evidence wrong[] = {
        {.offset = 11, .length = 0},
        {.offset = 10, .length = 1},
        {.offset = UINT64_C(1) << 63, .length = UINT64_C(1) << 63},
        {.offset = 1, .length = UINT64_MAX},
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
        find_at(world, &wrong[i]);
        assert_int_equal(world->answer.parts[0].status, PES_STATUS_PROTOCOL_ERROR);
        assert_int_equal(world->answer.parts[0].n_evidence, 0);
        world_reap(world);
    }
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    find_at(world, &(struct wire_evidence){.length = 10});
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_OK);
    assert_int_equal(world->answer.parts[0].n_evidence, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_question_as_large_as_a_message_does_not_end_the_broker),
        CASE(a_broker_that_ends_gives_back_what_is_still_being_hashed),
        CASE(descriptors_do_not_run_out_by_tiny_reservations),
        CASE(c12_a_user_with_many_questions_does_not_keep_the_workers_to_itself),
        CASE(c13_users_with_much_to_ask_share_the_workers),
        CASE(c12_users_take_turns_when_there_are_more_of_them_than_workers),
        CASE(another_users_question_costs_one_worker),
        CASE(c12_r16_a_flood_leaves_another_user_its_half),
        CASE(c13_slow_content_costs_another_user_less_than_half_its_speed),
        CASE(c13_time_counts_and_not_the_number_of_questions),
        CASE(c21_what_runs_in_the_background_lets_what_is_waited_for_pass),
        CASE(c21_urgency_is_nothing_to_another_user),
        CASE(x3_content_that_crashed_a_worker_is_answered_without_one),
        CASE(x3_an_update_is_given_what_crashed_the_one_before),
        CASE(x3_a_kill_from_outside_is_not_held_against_the_content),
        CASE(c20_what_crashed_for_one_user_is_scanned_for_another),
        CASE(a_worker_is_not_kept_for_ever),
        CASE(a_worker_that_looked_cannot_keep_silent),
        CASE(nobody_has_waited_longer_than_there_was_to_wait_for),
        CASE(v4_a_result_that_contradicts_itself_is_none),
        CASE(evidence_outside_of_the_content_ends_the_worker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

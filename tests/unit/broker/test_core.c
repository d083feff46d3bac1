/* Questions, workers and clients through the core, one story at a time. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "story.h"

static void readiness_is_told_when_all_providers_are_settled(void **state)
{
    struct world *world = *state;

    assert_true(world->said_ready);
}

static void a_question_goes_to_all_providers_at_once_and_is_answered_when_all_have(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    assert_true(world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED));
    assert_int_equal(world->clients[1].n_answers, 0);
    assert_true(world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED));
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
    assert_int_equal(world->answer.decided_by, PES_DECIDED_BY_VERDICT);
    assert_int_equal(world->answer.action, PES_GO);
    assert_int_equal(world->answer.digest.size, SHA256_DIGEST_BYTES);
}

static void one_malicious_verdict_ends_the_waiting(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_MALICIOUS);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.action, PES_STOP);
    assert_int_equal(world->answer.parts[1].status, PES_STATUS_SKIPPED_EARLY_DECISION);
    world_reap(world);
}

static void whoever_wants_details_gets_all_parts(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_MALICIOUS);
    assert_int_equal(world->clients[1].n_answers, 0);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.parts[1].status, PES_STATUS_OK);
}

/* SPEC 9, provider_row: on its word. */
static void what_enforcing_would_have_blocked_counts_for_who_said_so(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_SUSPICIOUS);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_MALICIOUS);
    assert_int_equal(world->core.stats.n_would_block, 1);
    assert_int_equal(world->core.providers[0].stats.n_would_block, 0);
    assert_int_equal(world->core.providers[1].stats.n_would_block, 1);
}

static void a_crash_is_named_with_its_signal_and_is_never_good(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_COMMAND_PASTED, SECOND, 0);
    world_die(world, 1, busy_slot(world, 1), INIT_EXIT_SIGNAL, SIGSEGV);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_PARTIAL_PROVIDERS);
    assert_int_equal(world->answer.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    assert_int_equal(world->answer.action, PES_ASK);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_CRASHED);
    assert_int_equal(world->answer.parts[0].signal, SIGSEGV);
    assert_int_equal(world->core.providers[0].stats.n_crashes, 1);
    assert_int_equal(world->core.providers[0].stats.signals[0].signal, SIGSEGV);
}

static void an_exit_is_told_with_its_status(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_die(world, 1, busy_slot(world, 1), INIT_EXIT_STATUS, 0);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_CRASHED);
    assert_int_equal(world->answer.parts[0].exit_status, 256);
}

static void a_dead_worker_is_replaced_and_its_slot_serves_again(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 100; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
        world_die(world, 1, busy_slot(world, 1), INIT_EXIT_SIGNAL, SIGABRT);
        world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    }
    assert_int_equal(world->clients[1].n_answers, 100);
    assert_int_equal(world->core.providers[0].stats.n_crashes, 100);
}

static void the_answer_comes_at_the_deadline_and_names_who_is_missing(void **state)
{
    struct world *world = *state;
    uint64_t asked_us = world->now_us;
    uint32_t slot;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    slot = busy_slot(world, 2);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_pass(world, SECOND - 1);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_in_range(world->answer.wall_us, SECOND - 10000, SECOND);
    assert_int_equal(world->answer.parts[1].status, PES_STATUS_TIMEOUT);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_PARTIAL_PROVIDERS);
    assert_true(world->instances[2].workers[slot].is_dying);
    assert_true(world->now_us >= asked_us);
    world_reap(world);
    assert_false(world->instances[2].workers[slot].is_dying);
}

static void a_part_that_never_got_a_worker_is_overloaded_and_nobodys_timeout(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 2000, 0);
    for (int i = 0; i < 2; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 60 * SECOND, 0); /* holds the workers */
    }
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_pass(world, SECOND);
    assert_int_equal(world->clients[2].n_answers, 1);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_OVERLOADED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(world->core.providers[0].stats.n_timeouts, 0);
    assert_int_equal(world->core.providers[0].stats.latency.n, 0);
    assert_int_equal(world->n_logged[EV_WORKER_TIMEOUT], 0);
}

static void a_worker_that_is_ended_at_its_deadline_is_logged_but_not_too_often(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_pass(world, SECOND);
    assert_int_equal(world->n_logged[EV_WORKER_TIMEOUT], 2); /* one of each provider */
    for (int i = 0; i < 20; i++) {
        world_reap(world);
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 1000, 0);
        world_pass(world, 1000);
    }
    assert_int_equal(world->core.providers[0].stats.n_timeouts, 21);
    assert_int_equal(world->n_logged[EV_WORKER_TIMEOUT], 20);
    world_reap(world);
}

/* SECURITY.md: pes never waits for itself. */
static void a_question_of_one_of_our_own_is_answered_at_once_and_nobody_is_asked(void **state)
{
    struct world *world = *state;

    world_open(world, 2, 0, PES_CAN_STOP);
    world_identify_own(world, 2);
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    assert_int_equal(world->clients[2].n_answers, 1);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(world->answer.n_parts, 2);
    for (size_t i = 0; i < world->answer.n_parts; i++) {
        assert_int_equal(world->answer.parts[i].status, PES_STATUS_NOT_COMPETENT);
    }
    assert_int_equal(world->core.providers[0].stats.n_scans, 0);
    assert_int_equal(world->n_logged[EV_CLIENT_OWN], 1);
    /* Others are asked for as ever. */
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    assert_int_equal(world->core.providers[0].stats.n_scans, 1);
}

static void a7_nobody_answering_is_not_examined_and_has_no_verdict(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_pass(world, SECOND);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(world->answer.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    world_reap(world);
}

static void a_kind_that_nobody_takes_is_told_so(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_GENERIC, SECOND, 0);
    assert_int_equal(world->answer.error, PES_E_NO_PROVIDER);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
}

static void v6_a_worker_never_serves_two_users(void **state)
{
    struct world *world = *state;

    world_connect(world, 2, 2000, 0);
    for (int i = 0; i < 3; i++) { /* more than one worker each, so that all belong to user 1000 */
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    }
    for (int i = 0; i < 3; i++) {
        world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
        world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    }
    assert_int_equal(world->clients[1].n_answers, 3);
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_reap(world); /* one worker of each provider had to go first */
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[2].n_answers, 1);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

static void v4_what_is_not_an_answer_ends_the_worker(void **state)
{
    struct world *world = *state;
    uint32_t slot;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    slot = busy_slot(world, 1);
    world_feed(world, (struct event){
                          .type = EVENT_WORKER_MESSAGE,
                          .instance = 1,
                          .slot = slot,
                          .generation = world->instances[1].workers[slot].generation,
                          .bytes = (const uint8_t *)"junk",
                          .n_bytes = 4,
                      });
    assert_true(world->instances[1].workers[slot].is_dying);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_PROTOCOL_ERROR);
    world_reap(world);
}

static void v4_a_word_from_a_worker_without_work_ends_it(void **state)
{
    struct world *world = *state;

    world_feed(world, (struct event){
                          .type = EVENT_WORKER_MESSAGE,
                          .instance = 1,
                          .slot = 0,
                          .generation = world->instances[1].workers[0].generation,
                          .bytes = (const uint8_t *)"hello",
                          .n_bytes = 5,
                      });
    assert_true(world->instances[1].workers[0].is_dying);
    assert_int_equal(world->core.providers[0].stats.n_protocol_errors, 1);
    world_reap(world);
}

static void a_question_taken_back_is_still_answered(void **state)
{
    struct world *world = *state;
    struct wire_cancel cancel = {.id = world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0)};

    world_send(world, 1, WIRE_TYPE_CANCEL, &cancel);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, PES_E_CANCELLED);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
    world_reap(world);
}

static void a_client_that_leaves_takes_its_questions_along(void **state)
{
    struct world *world = *state;
    uint32_t slot;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    slot = busy_slot(world, 1);
    world_disconnect(world, 1);
    assert_int_equal(world->core.n_questions, 0);
    assert_true(world->instances[1].workers[slot].is_dying);
    world_reap(world);
}

static void processor_time_is_told_at_once_and_put_right_in_the_end(void **state)
{
    struct world *world = *state;
    struct init_event init = {
        .version = INIT_CHANNEL_VERSION, .type = INIT_EXITED, .how = 1, .value = 11};
    uint32_t slot;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    slot = busy_slot(world, 1);
    world_pass(world, 700);
    world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED); /* says that it took 500 us */
    assert_int_equal(world->core.providers[0].stats.cpu_us, 500);
    init.slot = slot;
    init.generation = world->instances[1].workers[slot].generation;
    init.cpu_us = 1234;
    world->instances[1].workers[slot] = (struct world_worker){0};
    world_feed(world, (struct event){.type = EVENT_INIT, .instance = 1, .init = &init});
    assert_int_equal(world->core.providers[0].stats.cpu_us, 1234);
}

static void content_is_lent_checked_and_given_back(void **state)
{
    struct world *world = *state;
    struct wire_reserve reserve = {.content_id = 1, .bytes = 100000};
    struct wire_ask ask = {
        .id = 1, .kind = PES_KIND_ARCHIVE, .content_id = 1, .content_bytes = 100000};
    struct wire_release release = {.content_id = 1};

    world->will_hash_later = true;
    world_send(world, 1, WIRE_TYPE_RESERVE, &reserve);
    assert_int_equal(world->clients[1].n_reserved, 1);
    ask.kind = PES_KIND_DOCUMENT_PDF;
    world->clients[1].is_asked[1] = 1;
    world->clients[1].last_id = 1;
    world->clients[1].n_open = 1;
    world_send(world, 1, WIRE_TYPE_ASK, &ask);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 0); /* the digest is still being computed */
    world_hash(world);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.content_bytes, 100000);
    assert_int_equal(world->answer.digest.size, SHA256_DIGEST_BYTES);
    world_send(world, 1, WIRE_TYPE_RELEASE, &release);
    assert_int_equal(world->core.content_bytes, 0);
}

static void content_that_is_not_sealed_is_refused(void **state)
{
    struct world *world = *state;
    struct wire_reserve reserve = {.content_id = 1, .bytes = 100000};
    struct wire_ask ask = {
        .id = 1, .kind = PES_KIND_SCRIPT_SHELL, .content_id = 1, .content_bytes = 100000};

    world_send(world, 1, WIRE_TYPE_RESERVE, &reserve);
    world->is_bad_content = true;
    world->clients[1].is_asked[1] = 1;
    world->clients[1].n_open = 1;
    world_send(world, 1, WIRE_TYPE_ASK, &ask);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, PES_E_INVALID_ARGUMENT);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
}

static void c7_memory_that_is_never_used_is_taken_back(void **state)
{
    struct world *world = *state;
    struct wire_reserve reserve = {.content_id = 1, .bytes = 100000};

    world_send(world, 1, WIRE_TYPE_RESERVE, &reserve);
    assert_int_equal(world->core.content_bytes, 100000);
    world_pass(world, 31 * SECOND);
    assert_int_equal(world->core.content_bytes, 0);
}

static void reserve_and_release(struct world *world, uint64_t content_id)
{
    world_send(world, 1, WIRE_TYPE_RESERVE,
               &(struct wire_reserve){.content_id = content_id, .bytes = 1});
    world_send(world, 1, WIRE_TYPE_RELEASE, &(struct wire_release){.content_id = content_id});
}

static void c7_memory_that_is_released_unread_stays_charged(void **state)
{
    struct world *world = *state;
    uint64_t limit = world->core.quota.limit[QUOTA_LENT];

    for (uint64_t i = 1; i <= limit + 1; i++) {
        reserve_and_release(world, i);
    }
    assert_int_equal(world->core.content_bytes, 0);
    assert_int_equal(world->clients[1].n_reserved, limit);
    assert_int_equal(world->clients[1].last_error, PES_E_QUOTA);
    world_feed(world, (struct event){.type = EVENT_SESSION_TAKEN, .session = 1, .n_fds = 1});
    reserve_and_release(world, limit + 2);
    reserve_and_release(world, limit + 3);
    assert_int_equal(world->clients[1].n_reserved, limit + 1);
    world_disconnect(world, 1);
    assert_int_equal(world->core.quota.total[QUOTA_LENT], 0);
}

static void memory_that_could_not_be_made_is_not_on_its_way(void **state)
{
    struct world *world = *state;

    world->is_out_of_memory = true;
    reserve_and_release(world, 1);
    assert_int_equal(world->clients[1].last_error, PES_E_NO_MEMORY);
    assert_int_equal(world->core.quota.total[QUOTA_LENT], 0);
}

static void c11_one_user_leaves_room_for_the_connections_of_others(void **state)
{
    struct world *world = *state;

    assert_int_equal(world->core.quota.total_limit[QUOTA_SESSIONS], CORE_SESSIONS_MAX);
    world->core.quota.total_limit[QUOTA_SESSIONS] = 4;
    world_connect(world, 2, 1000, 0);
    world_connect(world, 3, 1000, 0);
    assert_true(world->clients[2].is_open);
    assert_false(world->clients[3].is_open);
    world_connect(world, 4, 1001, 0);
    world_connect(world, 5, 1002, 0);
    assert_true(world->clients[4].is_open && world->clients[5].is_open);
}

static void a_user_over_quota_is_told_which(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 257; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    }
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, PES_E_QUOTA);
    assert_memory_equal(world->answer.quota.data, "questions under way", world->answer.quota.size);
    assert_true(world->answer.retry_after_ms > 0);
    world_pass(world, SECOND);
    world_reap(world);
    assert_int_equal(world->clients[1].n_answers, 257);
}

static void c10_a_client_that_does_not_read_is_dropped(void **state)
{
    struct world *world = *state;

    world_feed(world,
               (struct event){.type = EVENT_SESSION_QUEUED, .session = 1, .n_bytes = 5u << 20});
    assert_false(world->clients[1].is_open);
}

static void c17_a_message_out_of_place_ends_the_connection_with_a_reason(void **state)
{
    struct world *world = *state;
    struct wire_welcome welcome = {.version = 1};

    world_send(world, 1, WIRE_TYPE_WELCOME, &welcome);
    assert_true(world->clients[1].was_refused);
    assert_int_equal(world->clients[1].last_error, PES_E_PROTOCOL);
    assert_false(world->clients[1].is_open);
}

static void a_client_of_another_version_is_told_so(void **state)
{
    struct world *world = *state;
    struct wire_hello hello = {.version_min = 7, .version_max = 9};

    world->clients[2] = (struct world_client){.is_open = true};
    world_feed(
        world,
        (struct event){.type = EVENT_SESSION_OPENED, .session = 2, .peer = {1000, 1000, 7, false}});
    world_send(world, 2, WIRE_TYPE_HELLO, &hello);
    assert_int_equal(world->clients[2].last_error, PES_E_VERSION);
    assert_false(world->clients[2].is_open);
}

static void a_connection_without_a_hello_is_closed(void **state)
{
    struct world *world = *state;

    world->clients[2] = (struct world_client){.is_open = true};
    world_feed(
        world,
        (struct event){.type = EVENT_SESSION_OPENED, .session = 2, .peer = {1000, 1000, 7, false}});
    world_pass(world, 3 * SECOND);
    assert_false(world->clients[2].is_open);
}

static void c11_an_idle_connection_is_kept_while_there_is_room(void **state)
{
    struct world *world = *state;
    struct wire_configure configure = {.generation = 2, .max_sessions_per_uid = 2};

    world_pass(world, 3600 * SECOND);
    assert_true(world->clients[1].is_open);
    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
    world_connect(world, 2, 1000, 0);
    world_pass(world, 3600 * SECOND);
    assert_false(world->clients[1].is_open && world->clients[2].is_open);
    assert_true(world->clients[1].is_open || world->clients[2].is_open);
}

static void connect_in_vain(struct world *world, uint32_t client, uint32_t error)
{
    world->clients[client] = (struct world_client){.is_open = true};
    world_feed(world, (struct event){.type = EVENT_SESSION_OPENED,
                                     .session = client,
                                     .peer = {1000, 1000, 7, false}});
    assert_true(world->clients[client].was_refused);
    assert_int_equal(world->clients[client].last_error, error);
    assert_false(world->clients[client].is_open);
}

static void a_connection_that_is_not_taken_hears_why(void **state)
{
    struct world *world = *state;
    struct wire_configure configure = {.generation = 2, .max_sessions_per_uid = 2};
    struct wire_drain drain = {.grace_ms = 2000};

    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
    world_connect(world, 2, 1000, 0);
    connect_in_vain(world, 3, PES_E_QUOTA);
    world_connect(world, 4, 1001, 0); /* somebody else */
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_launcher(world, WIRE_TYPE_DRAIN, &drain, 0);
    connect_in_vain(world, 5, PES_E_NOT_CONNECTED);
}

static void c15_what_the_broker_verifies_cannot_be_claimed(void **state)
{
    struct world *world = *state;
    struct wire_ask ask = {.id = 1, .kind = PES_KIND_SCRIPT_SHELL, .n_context = 1};

    ask.context[0] = (struct wire_item){.field = PES_VERIFIED_UID, .value = 0};
    world->clients[1].is_asked[1] = 1;
    world->clients[1].n_open = 1;
    world_send(world, 1, WIRE_TYPE_ASK, &ask);
    assert_int_equal(world->answer.error, PES_E_INVALID_ARGUMENT);
}

static void draining_answers_what_is_open_and_then_ends(void **state)
{
    struct world *world = *state;
    struct wire_drain drain = {.grace_ms = 2000};

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_launcher(world, WIRE_TYPE_DRAIN, &drain, 0);
    assert_true(world->admits_none); /* they are the successor's */
    assert_false(world->has_exited);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_true(world->has_exited);
}

static void draining_waits_until_the_answers_are_out(void **state)
{
    struct world *world = *state;
    struct wire_drain drain = {.grace_ms = 2000};
    struct event event = {.type = EVENT_SESSION_QUEUED, .session = 1, .n_bytes = 1000};

    world_feed(world, event);
    world_launcher(world, WIRE_TYPE_DRAIN, &drain, 0);
    assert_false(world->has_exited);
    event.type = EVENT_SESSION_FLUSHED;
    event.n_bytes = 999;
    world_feed(world, event);
    assert_false(world->has_exited);
    event.n_bytes = 1;
    world_feed(world, event);
    assert_true(world->has_exited);
}

static void draining_does_not_wait_for_ever(void **state)
{
    struct world *world = *state;
    struct wire_drain drain = {.grace_ms = 2000};

    world_feed(world, (struct event){.type = EVENT_SESSION_QUEUED, .session = 1, .n_bytes = 1000});
    world_launcher(world, WIRE_TYPE_DRAIN, &drain, 0);
    world_pass(world, 3 * SECOND);
    assert_true(world->has_exited);
}

static void a_question_that_crosses_the_goaway_is_sent_elsewhere(void **state)
{
    struct world *world = *state;
    struct wire_drain drain = {.grace_ms = 2000};
    struct wire_reserve reserve = {.content_id = 1, .bytes = 100000};

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_launcher(world, WIRE_TYPE_DRAIN, &drain, 0);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    assert_int_equal(world->answer.error, PES_E_NOT_CONNECTED);
    world_send(world, 1, WIRE_TYPE_RESERVE, &reserve);
    assert_int_equal(world->clients[1].last_error, PES_E_NOT_CONNECTED);
    assert_true(world->clients[1].is_open);
}

/* As much as a worker may say at all. */
static void say_everything(struct world *world, uint32_t instance)
{
    static struct wire_result result;
    static char name[129], decoded[1024];
    uint32_t slot = busy_slot(world, instance);

    memset(name, 'n', 128);
    memset(decoded, 'd', sizeof(decoded));
    result = (struct wire_result){
        .verdict = PES_VERDICT_MALICIOUS,
        .coverage = PES_COVERAGE_FULL,
        .bytes_examined = world->instances[instance].workers[slot].scan_bytes,
        .n_findings = 16,
        .n_findings_total = 16,
        .n_evidence = 32,
        .decoded = {(const uint8_t *)decoded, sizeof(decoded)},
    };
    for (size_t i = 0; i < 16; i++) {
        result.findings[i] = (struct wire_finding){.verdict = PES_VERDICT_MALICIOUS,
                                                   .detection = wire_text(name),
                                                   .rule_id = wire_text(name)};
    }
    for (size_t i = 0; i < 32; i++) {
        result.evidence[i] =
            (struct wire_evidence){.offset = 10, .length = 0, .what = {(const uint8_t *)name, 60}};
    }
    assert_true(world_say(world, instance, slot, &result));
}

static void talkative_providers_still_fit_one_answer(void **state)
{
    struct world *world = *state;

    world_configure(world, 8, 2);
    for (uint32_t i = 2; i < 8; i++) {
        world_start_provider(world, i, i + 1, 1);
    }
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    for (uint32_t i = 1; i <= 8; i++) {
        say_everything(world, i);
    }
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.n_parts, 8);
    assert_int_equal(world->answer.verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(world->answer.parts[7].status, PES_STATUS_OK);
    assert_true(world->answer.parts[7].n_findings > 0);
}

static void shares_of_the_waiting_sum_to_the_total(void **state)
{
    struct world *world = *state;
    const struct attribution *sets = &world->core.stats.sets;
    double share_us = 0;

    for (int i = 0; i < 10; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
        world_pass(world, 1000);
        world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
        world_pass(world, 3000);
        world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    }
    assert_int_equal(world->core.stats.wait_us, 40000);
    assert_int_equal(attribution_total_us(sets->sets, sets->n), 40000);
    assert_int_equal(attribution_saved_us(sets->sets, sets->n, 1u << 1), 30000);
    assert_int_equal(attribution_saved_us(sets->sets, sets->n, 1u << 0), 0);
    for (unsigned bit = 0; bit < 64; bit++) {
        share_us += attribution_share_us(sets->sets, sets->n, bit);
    }
    assert_true(share_us > 39999.9 && share_us < 40000.1);
}

static void the_report_fits_into_one_message_and_adds_up(void **state)
{
    struct world *world = *state;
    struct wire_query query = {.id = 1, .what = 2};
    struct wire_fault fault;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    world_pass(world, 1000);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_MALICIOUS);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    world_send(world, 1, WIRE_TYPE_DONE,
               &(struct wire_done){.id = 1, .did = PES_DID_USER_OVERRODE});
    world_send(world, 1, WIRE_TYPE_QUERY, &query);
    assert_true(world->n_last_service > 0);
    assert_int_equal(wire_decode(world->frame, world->last_service, world->n_last_service, &fault),
                     0);
    assert_int_equal(world->frame->type, WIRE_TYPE_REPORT);
    assert_int_equal(world->frame->report.n_scans, 1);
    assert_int_equal(world->frame->report.wait_us, 1000);
    assert_int_equal(world->frame->report.n_found, 1);
    assert_int_equal(world->frame->report.n_blocked, 1);
    assert_int_equal(world->frame->report.n_overridden, 1);
    assert_int_equal(world->frame->report.n_providers, 2);
    assert_int_equal(world->frame->report.providers[0].n_found_alone, 1);
    assert_int_equal(world->frame->report.providers[0].n_overridden, 1);
    assert_int_equal(world->frame->report.n_clients, 1);
    assert_memory_equal(world->frame->report.clients[0].name.data, "app1", 4);
}

static void an_override_may_come_with_the_next_question(void **state)
{
    struct world *world = *state;
    struct wire_ask next = {.kind = PES_KIND_SCRIPT_SHELL,
                            .time_left_us = SECOND,
                            .content = wire_text("other bytes"),
                            .done_id = 1,
                            .did = PES_DID_USER_OVERRODE};

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_MALICIOUS);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    world_ask_with(world, 1, &next);
    assert_int_equal(world->core.stats.n_overridden, 1);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    world_ask_with(world, 1, &next); /* said before: once is enough */
    assert_int_equal(world->core.stats.n_overridden, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(readiness_is_told_when_all_providers_are_settled),
        CASE(a_question_goes_to_all_providers_at_once_and_is_answered_when_all_have),
        CASE(one_malicious_verdict_ends_the_waiting),
        CASE(whoever_wants_details_gets_all_parts),
        CASE(what_enforcing_would_have_blocked_counts_for_who_said_so),
        CASE(a_crash_is_named_with_its_signal_and_is_never_good),
        CASE(an_exit_is_told_with_its_status),
        CASE(a_dead_worker_is_replaced_and_its_slot_serves_again),
        CASE(the_answer_comes_at_the_deadline_and_names_who_is_missing),
        CASE(a_part_that_never_got_a_worker_is_overloaded_and_nobodys_timeout),
        CASE(a_worker_that_is_ended_at_its_deadline_is_logged_but_not_too_often),
        CASE(a_question_of_one_of_our_own_is_answered_at_once_and_nobody_is_asked),
        CASE(a7_nobody_answering_is_not_examined_and_has_no_verdict),
        CASE(a_kind_that_nobody_takes_is_told_so),
        CASE(v6_a_worker_never_serves_two_users),
        CASE(v4_what_is_not_an_answer_ends_the_worker),
        CASE(v4_a_word_from_a_worker_without_work_ends_it),
        CASE(a_question_taken_back_is_still_answered),
        CASE(a_client_that_leaves_takes_its_questions_along),
        CASE(processor_time_is_told_at_once_and_put_right_in_the_end),
        CASE(content_is_lent_checked_and_given_back),
        CASE(content_that_is_not_sealed_is_refused),
        CASE(c7_memory_that_is_never_used_is_taken_back),
        CASE(c7_memory_that_is_released_unread_stays_charged),
        CASE(memory_that_could_not_be_made_is_not_on_its_way),
        CASE(c11_one_user_leaves_room_for_the_connections_of_others),
        CASE(a_user_over_quota_is_told_which),
        CASE(c10_a_client_that_does_not_read_is_dropped),
        CASE(c17_a_message_out_of_place_ends_the_connection_with_a_reason),
        CASE(a_client_of_another_version_is_told_so),
        CASE(a_connection_without_a_hello_is_closed),
        CASE(c11_an_idle_connection_is_kept_while_there_is_room),
        CASE(c15_what_the_broker_verifies_cannot_be_claimed),
        CASE(a_connection_that_is_not_taken_hears_why),
        CASE(draining_answers_what_is_open_and_then_ends),
        CASE(draining_waits_until_the_answers_are_out),
        CASE(draining_does_not_wait_for_ever),
        CASE(a_question_that_crosses_the_goaway_is_sent_elsewhere),
        CASE(talkative_providers_still_fit_one_answer),
        CASE(shares_of_the_waiting_sum_to_the_total),
        CASE(the_report_fits_into_one_message_and_adds_up),
        CASE(an_override_may_come_with_the_next_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

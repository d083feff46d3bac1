/* A look at the beginning of a stream: when there is one, what it can do, and what is left of
 * it. */
#include "story.h"

#define SEGMENT (UINT64_C(2) << 20) /* with content of 100 MiB at most */

/* As ever, and p0 takes beginnings. */
static int set_up_looker(void **state)
{
    struct world *world = malloc(sizeof(*world));

    world_init(world, 42);
    world->beginnings = 1;
    world_configure(world, 2, 2);
    world_start_provider(world, 0, 1, 1);
    world_start_provider(world, 1, 2, 1);
    world_connect(world, 1, 1000, PES_CAN_STOP | PES_CAN_ASK);
    *state = world;
    return 0;
}

#define LOOK(name) cmocka_unit_test_setup_teardown(name, set_up_looker, tear_down)

static void begin_with(struct world *world, uint32_t flags)
{
    struct wire_ask ask = {
        .kind = PES_KIND_DOCUMENT_PDF, .time_left_us = 5 * SECOND, .stream_id = 1, .flags = flags};

    world_ask_with(world, 1, &ask);
}

static void begin(struct world *world)
{
    begin_with(world, 0);
}

static void add(struct world *world, uint64_t content_id, uint64_t n_bytes, uint32_t is_last)
{
    world_send(world, 1, WIRE_TYPE_RESERVE,
               &(struct wire_reserve){.content_id = content_id, .bytes = n_bytes});
    world_send(world, 1, WIRE_TYPE_SEGMENT,
               &(struct wire_segment){
                   .stream_id = 1, .content_id = content_id, .bytes = n_bytes, .is_last = is_last});
}

static const struct provider_stats *stats_of(const struct world *world, size_t index)
{
    return &world->core.providers[index].stats;
}

static void the_whole_is_answered(struct world *world, uint64_t n_bytes)
{
    assert_int_equal(world->instances[1].workers[busy_slot(world, 1)].scan_bytes, n_bytes);
    assert_int_equal(world->instances[2].workers[busy_slot(world, 2)].scan_bytes, n_bytes);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
    assert_int_equal(world->answer.content_bytes, n_bytes);
    assert_int_equal(world->core.content_bytes, 0);
}

static void what_is_found_in_the_beginning_answers(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    assert_int_equal(world->instances[2].workers[0].scan, 0); /* p1 needs the whole */
    add(world, 2, SEGMENT, 0);
    world_pass(world, SECOND);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_MALICIOUS);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.verdict, PES_VERDICT_MALICIOUS);
    assert_int_equal(world->answer.action, PES_STOP);
    assert_int_equal(world->answer.decided_by, PES_DECIDED_BY_VERDICT);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_PARTIAL_PROVIDERS);
    assert_int_equal(world->answer.content_bytes, 2 * SEGMENT);
    assert_int_equal(world->answer.digest.size, 0);
    assert_int_equal(world->answer.n_parts, 2);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_OK);
    assert_int_equal(world->answer.parts[0].coverage, PES_COVERAGE_PARTIAL_SIZE);
    assert_int_equal(world->answer.parts[0].bytes_examined, SEGMENT);
    assert_int_equal(world->answer.parts[1].status, PES_STATUS_SKIPPED_EARLY_DECISION);
    assert_int_equal(world->core.content_bytes, 0);
    add(world, 3, SEGMENT, 1); /* it crossed with the answer */
    assert_false(world->clients[1].was_refused);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->core.content_bytes, 0);
}

static void an_early_answer_is_counted_once(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, SECOND);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_MALICIOUS);
    assert_int_equal(world->core.stats.n_scans, 1);
    assert_int_equal(world->core.stats.n_found, 1);
    assert_int_equal(world->core.stats.wait_us, 0); /* it was the client's time */
    assert_int_equal(stats_of(world, 0)->n_scans, 1);
    assert_int_equal(stats_of(world, 0)->n_answers, 1);
    assert_int_equal(stats_of(world, 0)->n_partial, 1);
    assert_int_equal(stats_of(world, 0)->n_found, 1);
    assert_int_equal(stats_of(world, 0)->bytes, SEGMENT);
    assert_int_equal(stats_of(world, 1)->n_scans, 0);
}

static void what_is_not_found_in_the_beginning_means_nothing(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, SECOND);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_KNOWN_GOOD);
    assert_int_equal(world->clients[1].n_answers, 0);
    add(world, 2, 5, 1);
    the_whole_is_answered(world, SEGMENT + 5);
    assert_int_equal(stats_of(world, 0)->n_scans, 1);
    assert_int_equal(stats_of(world, 0)->n_answers, 1);
    assert_int_equal(stats_of(world, 0)->bytes, SEGMENT + 5);
    assert_int_equal(stats_of(world, 0)->cpu_us, 500); /* of the look, which took time */
}

static void a_mild_finding_waits_for_the_whole(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_POTENTIALLY_UNWANTED);
    assert_int_equal(world->clients[1].n_answers, 0);
    assert_int_equal(stats_of(world, 0)->n_found, 0);
    add(world, 2, 5, 1);
    the_whole_is_answered(world, SEGMENT + 5);
}

static void there_is_a_look_whenever_there_is_twice_as_much(void **state)
{
    struct world *world = *state;
    uint64_t n_looked = 0;

    begin(world);
    for (uint64_t i = 1; i <= 40; i++) {
        bool is_look = (i & (i - 1)) == 0;

        add(world, i, SEGMENT, 0);
        if (is_look) {
            uint32_t slot = busy_slot(world, 1);

            n_looked += world->instances[1].workers[slot].scan_bytes;
            assert_int_equal(world->instances[1].workers[slot].scan_bytes, i * SEGMENT);
            world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED);
        }
        assert_int_equal(world->instances[1].workers[0].scan, 0);
        assert_int_equal(world->instances[1].workers[1].scan, 0);
    }
    assert_int_equal(world->n_looks, 6);
    assert_true(n_looked < 2 * 40 * SEGMENT);
}

static void there_is_one_look_at_a_time(void **state)
{
    struct world *world = *state;

    begin(world);
    for (uint64_t i = 1; i <= 10; i++) {
        add(world, i, SEGMENT, 0);
    }
    assert_int_equal(world->n_looks, 1);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    add(world, 11, SEGMENT, 0);
    assert_int_equal(world->n_looks, 2);
    assert_int_equal(world->instances[1].workers[busy_slot(world, 1)].scan_bytes, 11 * SEGMENT);
}

static void whoever_wants_all_details_gets_them_in_the_end(void **state)
{
    struct world *world = *state;

    begin_with(world, PES_SCAN_WANT_DETAILS);
    add(world, 1, SEGMENT, 0);
    assert_int_equal(world->n_looks, 0);
}

static void nobody_looks_whose_word_stops_nothing(void **state)
{
    struct world *world = *state;
    struct wire_configure configure = {
        .generation = 2,
        .mode = PES_MODE_OBSERVE,
        .n_providers = 1,
        .providers = {{.name = wire_text("p0"), .n_workers = 2, .is_unsigned = 1}},
    };

    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
    begin(world);
    add(world, 1, SEGMENT, 0);
    configure.mode = PES_MODE_ENFORCE;
    configure.providers[0].is_advisory = 1;
    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
    add(world, 2, SEGMENT, 0);
    assert_int_equal(world->n_looks, 0);
    configure.providers[0].is_advisory = 0;
    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
    add(world, 3, SEGMENT, 0);
    assert_int_equal(world->n_looks, 1);
}

static void a_look_keeps_nobody_waiting(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, SECOND);
    add(world, 2, 5, 1); /* and the look has not ended */
    world_reap(world);
    the_whole_is_answered(world, SEGMENT + 5);
    assert_int_equal(world->answer.wall_us, 0);
    assert_int_equal(stats_of(world, 0)->n_scans, 1);
    assert_int_equal(stats_of(world, 0)->n_timeouts, 0);
    assert_int_equal(stats_of(world, 0)->n_crashes, 0);
}

static void a_look_that_hangs_is_ended_and_the_stream_goes_on(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, 6 * SECOND);
    world_reap(world);
    assert_int_equal(world->clients[1].n_answers, 0);
    assert_int_equal(stats_of(world, 0)->n_scans, 1);
    assert_int_equal(stats_of(world, 0)->n_timeouts, 1);
    add(world, 2, SEGMENT, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    add(world, 3, 5, 1);
    the_whole_is_answered(world, 2 * SEGMENT + 5);
    assert_int_equal(stats_of(world, 0)->n_scans, 2);
}

static void a_look_that_crashes_is_counted_and_the_stream_goes_on(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_die(world, 1, busy_slot(world, 1), INIT_EXIT_SIGNAL, 11);
    assert_int_equal(world->clients[1].n_answers, 0);
    assert_int_equal(stats_of(world, 0)->n_scans, 1);
    assert_int_equal(stats_of(world, 0)->n_crashes, 1);
    add(world, 2, 5, 1);
    the_whole_is_answered(world, SEGMENT + 5);
}

static void a_look_that_lies_about_its_length_is_no_answer(void **state)
{
    struct world *world = *state;
    struct wire_result result = {
        .verdict = PES_VERDICT_MALICIOUS,
        .coverage = PES_COVERAGE_FULL,
        .bytes_examined = 2 * SEGMENT, /* it was shown half of that */
        .n_findings = 1,
        .n_findings_total = 1,
        .findings = {{.verdict = PES_VERDICT_MALICIOUS, .detection = wire_text("Test.Lie")}}};

    begin(world);
    add(world, 1, SEGMENT, 0);
    add(world, 2, SEGMENT, 0);
    world_say(world, 1, busy_slot(world, 1), &result);
    world_reap(world);
    assert_int_equal(world->clients[1].n_answers, 0);
    assert_int_equal(stats_of(world, 0)->n_protocol_errors, 1);
    add(world, 3, 5, 1);
    the_whole_is_answered(world, 2 * SEGMENT + 5);
}

static void a_stream_can_be_taken_back_in_a_look(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_send(world, 1, WIRE_TYPE_CANCEL, &(struct wire_cancel){.id = 1});
    assert_int_equal(world->answer.error, PES_E_CANCELLED);
    assert_int_equal(world->answer.n_parts, 0);
    assert_int_equal(world->core.content_bytes, 0);
    assert_int_equal(stats_of(world, 0)->n_scans, 0);
    assert_int_equal(world->core.providers[0].n_parts, 0);
}

static void the_client_may_go_in_a_look(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_disconnect(world, 1);
    assert_int_equal(world->core.n_questions, 0);
    assert_int_equal(world->core.content_bytes, 0);
    assert_int_equal(world->core.providers[0].n_parts, 0);
}

static void a_wrong_segment_ends_the_look_too(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world->is_bad_content = true;
    add(world, 2, SEGMENT, 0);
    assert_int_equal(world->answer.error, PES_E_INVALID_ARGUMENT);
    assert_int_equal(world->core.content_bytes, 0);
    assert_int_equal(world->core.providers[0].n_parts, 0);
}

static void a_look_that_waits_is_not_given_to_who_needs_the_whole(void **state)
{
    struct world *world = *state;

    world_ask(world, 1, PES_KIND_COMMAND_PASTED, 5 * SECOND, 0);
    world_ask(world, 1, PES_KIND_COMMAND_PASTED, 5 * SECOND, 0);
    begin(world);
    add(world, 1, SEGMENT, 0); /* all workers are busy */
    assert_int_equal(world->n_looks, 0);
    world->beginnings = 0;
    world_start_provider(world, 0, 3, 2);
    assert_int_equal(world->n_looks, 0);
    for (uint32_t slot = 0; slot < 2; slot++) {
        world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED);
        world_answer(world, 2, slot, PES_VERDICT_NOT_DETECTED);
    }
    assert_int_equal(world->clients[1].n_answers, 2);
    add(world, 2, SEGMENT, 0);
    assert_int_equal(world->n_looks, 0);
    assert_int_equal(world->core.providers[0].n_parts, 0);
}

static void the_list_says_who_needs_the_whole(void **state)
{
    struct world *world = *state;

    world_send(world, 1, WIRE_TYPE_QUERY, &(struct wire_query){.id = 1, .what = 1});
    assert_int_equal(wire_decode(world->frame, world->last_service, world->n_last_service,
                                 &(struct wire_fault){0}),
                     0);
    assert_int_equal(world->frame->service.providers[0].takes_beginnings, 1);
    assert_int_equal(world->frame->service.providers[1].takes_beginnings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(what_is_found_in_the_beginning_answers),
        LOOK(an_early_answer_is_counted_once),
        LOOK(what_is_not_found_in_the_beginning_means_nothing),
        LOOK(a_mild_finding_waits_for_the_whole),
        LOOK(there_is_a_look_whenever_there_is_twice_as_much),
        LOOK(there_is_one_look_at_a_time),
        LOOK(whoever_wants_all_details_gets_them_in_the_end),
        LOOK(nobody_looks_whose_word_stops_nothing),
        LOOK(a_look_keeps_nobody_waiting),
        LOOK(a_look_that_hangs_is_ended_and_the_stream_goes_on),
        LOOK(a_look_that_crashes_is_counted_and_the_stream_goes_on),
        LOOK(a_look_that_lies_about_its_length_is_no_answer),
        LOOK(a_stream_can_be_taken_back_in_a_look),
        LOOK(the_client_may_go_in_a_look),
        LOOK(a_wrong_segment_ends_the_look_too),
        LOOK(a_look_that_waits_is_not_given_to_who_needs_the_whole),
        LOOK(the_list_says_who_needs_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

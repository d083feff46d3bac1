/* Content of unknown length: every way that a stream can go, and what is left of it. */
#include "broker/content.h"
#include "broker/stream.h"
#include "story.h"

#define SEGMENT (UINT64_C(2) << 20) /* with content of 100 MiB at most */

static void begin(struct world *world)
{
    struct wire_ask ask = {
        .kind = PES_KIND_DOCUMENT_PDF, .time_left_us = 5 * SECOND, .stream_id = 1};

    world_ask_with(world, 1, &ask);
}

static void reserve(struct world *world, uint64_t content_id, uint64_t n_bytes)
{
    world_send(world, 1, WIRE_TYPE_RESERVE,
               &(struct wire_reserve){.content_id = content_id, .bytes = n_bytes});
}

static void commit(struct world *world, uint64_t content_id, uint64_t n_bytes, uint32_t is_last)
{
    world_send(world, 1, WIRE_TYPE_SEGMENT,
               &(struct wire_segment){
                   .stream_id = 1, .content_id = content_id, .bytes = n_bytes, .is_last = is_last});
}

static void add(struct world *world, uint64_t content_id, uint64_t n_bytes, uint32_t is_last)
{
    reserve(world, content_id, n_bytes);
    commit(world, content_id, n_bytes, is_last);
}

static void answers(struct world *world)
{
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
}

/* It was answered with this error, and nothing is left of it. */
static void ended_with(const struct world *world, uint32_t error)
{
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, error);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(world->core.content_bytes, 0);
    assert_false(world->clients[1].was_refused);
}

static void a_row_is_one_content(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    add(world, 2, SEGMENT, 0);
    assert_int_equal(world->core.content_bytes, 2 * SEGMENT);
    assert_int_equal(world->instances[1].workers[0].scan, 0); /* nobody is asked in the middle */
    add(world, 3, 5, 1);
    assert_int_equal(world->instances[1].workers[busy_slot(world, 1)].scan_bytes, 2 * SEGMENT + 5);
    answers(world);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, PES_E_NONE);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
    assert_int_equal(world->answer.content_bytes, 2 * SEGMENT + 5);
    assert_int_equal(world->answer.digest.size, SHA256_DIGEST_BYTES);
    assert_int_equal(world->core.content_bytes, 0);
}

static void a_row_of_full_segments_is_ended_without_another(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    commit(world, 0, 0, 1);
    answers(world);
    assert_int_equal(world->answer.content_bytes, SEGMENT);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

static void a_stream_of_nothing_is_refused(void **state)
{
    struct world *world = *state;

    begin(world);
    commit(world, 0, 0, 1);
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void a_segment_that_is_not_full_ends_a_stream_in_the_middle(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    add(world, 2, SEGMENT - 1, 0);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, PES_E_INVALID_ARGUMENT);
    world_send(world, 1, WIRE_TYPE_RELEASE, &(struct wire_release){.content_id = 2});
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void a_segment_that_is_too_long_ends_a_stream(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT + 1, 1);
    world_send(world, 1, WIRE_TYPE_RELEASE, &(struct wire_release){.content_id = 1});
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void wrong_seals_end_a_stream(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world->is_bad_content = true;
    add(world, 2, SEGMENT, 0);
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void a_segment_that_was_not_lent_ends_a_stream(void **state)
{
    struct world *world = *state;

    begin(world);
    commit(world, 7, SEGMENT, 0);
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void a_segment_is_committed_once(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    commit(world, 1, SEGMENT, 0);
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void a_segment_that_was_kept_for_too_long_ends_a_stream(void **state)
{
    struct world *world = *state;

    begin(world);
    reserve(world, 1, SEGMENT);
    world_pass(world, 31 * SECOND);
    commit(world, 1, SEGMENT, 0);
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void content_that_a_question_uses_is_no_segment(void **state)
{
    struct world *world = *state;
    struct wire_ask ask = {
        .kind = PES_KIND_DOCUMENT_PDF, .content_id = 1, .content_bytes = SEGMENT};

    reserve(world, 1, SEGMENT);
    world_ask_with(world, 1, &ask);
    begin(world);
    commit(world, 1, SEGMENT, 1);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.id, 2);
    assert_int_equal(world->answer.error, PES_E_INVALID_ARGUMENT);
    answers(world);
    assert_int_equal(world->answer.id, 1);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

static void what_is_more_than_the_limit_is_not_examined(void **state)
{
    struct world *world = *state;

    begin(world);
    for (uint64_t i = 1; i <= CORE_MAX_CONTENT_BYTES / SEGMENT; i++) {
        add(world, i, SEGMENT, 0);
    }
    assert_int_equal(world->clients[1].n_answers, 0);
    add(world, 51, 1, 1);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.error, PES_E_NONE);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_TOO_LARGE);
    assert_int_equal(world->answer.message_id, PES_MESSAGE_ID_TOO_LARGE);
    assert_int_equal(world->answer.verdict, PES_VERDICT_NONE);
    assert_int_equal(world->answer.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    assert_int_equal(world->answer.content_bytes, CORE_MAX_CONTENT_BYTES + 1);
    assert_int_equal(world->answer.digest.size, 0);
    assert_int_equal(world->core.content_bytes, 0);
}

static void exactly_the_limit_is_examined(void **state)
{
    struct world *world = *state;

    begin(world);
    for (uint64_t i = 1; i <= CORE_MAX_CONTENT_BYTES / SEGMENT; i++) {
        add(world, i, SEGMENT, i == CORE_MAX_CONTENT_BYTES / SEGMENT);
    }
    answers(world);
    assert_int_equal(world->answer.content_bytes, CORE_MAX_CONTENT_BYTES);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

static void segments_are_charged_until_the_answer(void **state)
{
    struct world *world = *state;
    uint64_t before = world->core.quota.total[QUOTA_BYTES];

    world->core.quota.limit[QUOTA_BYTES] = before + 3 * SEGMENT;
    begin(world);
    add(world, 1, SEGMENT, 0);
    add(world, 2, SEGMENT, 0);
    assert_true(world->core.quota.total[QUOTA_BYTES] >= before + 2 * SEGMENT);
    reserve(world, 3, SEGMENT);
    assert_int_equal(world->clients[1].last_error, PES_E_QUOTA);
    commit(world, 0, 0, 1); /* what there is can still be asked about */
    answers(world);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
    assert_int_equal(world->core.quota.total[QUOTA_BYTES], before);
}

static void a_stream_can_be_taken_back(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    reserve(world, 2, SEGMENT);
    world_send(world, 1, WIRE_TYPE_CANCEL, &(struct wire_cancel){.id = 1});
    assert_int_equal(world->answer.error, PES_E_CANCELLED);
    commit(world, 2, SEGMENT, 1); /* it crossed with the answer */
    ended_with(world, PES_E_CANCELLED);
}

static void the_client_may_go_in_the_middle(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    reserve(world, 2, SEGMENT);
    world_disconnect(world, 1);
    assert_int_equal(world->core.n_questions, 0);
    assert_int_equal(world->core.content_bytes, 0);
}

static void a_stream_that_does_not_go_on_ends(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, CORE_STREAM_TIME_US - SECOND);
    commit(world, 0, 0, 0); /* more will come */
    world_pass(world, CORE_STREAM_TIME_US - SECOND);
    assert_int_equal(world->clients[1].n_answers, 0);
    world_pass(world, 2 * SECOND);
    ended_with(world, PES_E_DEADLINE_PASSED);
}

static void nobody_is_blamed_for_the_time_that_it_took_to_come(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, 100 * SECOND);
    commit(world, 0, 0, 1);
    world_pass(world, SECOND);
    answers(world);
    assert_int_equal(world->answer.wall_us, SECOND);
    assert_int_equal(world->core.stats.wait_us, SECOND);
}

static void its_time_begins_with_the_last_segment(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_pass(world, 100 * SECOND);
    commit(world, 0, 0, 1);
    world_pass(world, 4 * SECOND);
    assert_int_equal(world->clients[1].n_answers, 0);
    world_pass(world, SECOND);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.n_parts, 2);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_TIMEOUT);
}

static void a_broker_that_ends_sends_streams_to_its_successor(void **state)
{
    struct world *world = *state;

    begin(world);
    add(world, 1, SEGMENT, 0);
    world_launcher(world, WIRE_TYPE_DRAIN, &(struct wire_drain){.grace_ms = 10000}, 0);
    ended_with(world, PES_E_NOT_CONNECTED);
}

static void two_forms_of_content_are_refused(void **state)
{
    struct world *world = *state;
    struct wire_ask ask = {
        .kind = PES_KIND_DOCUMENT_PDF, .stream_id = 1, .content = wire_text("both")};

    world_ask_with(world, 1, &ask);
    ended_with(world, PES_E_INVALID_ARGUMENT);
    commit(world, 0, 0, 1); /* of a stream that there is none of any more */
    ended_with(world, PES_E_INVALID_ARGUMENT);
}

static void a_segment_of_a_stream_that_never_was_breaks_the_protocol(void **state)
{
    struct world *world = *state;

    commit(world, 0, 0, 0);
    assert_true(world->clients[1].was_refused);
    assert_int_equal(world->clients[1].last_error, PES_E_PROTOCOL);
}

static void a_stream_id_that_does_not_rise_breaks_the_protocol(void **state)
{
    struct world *world = *state;

    begin(world);
    world_send(world, 1, WIRE_TYPE_ASK,
               &(struct wire_ask){.id = 2, .kind = PES_KIND_DOCUMENT_PDF, .stream_id = 1});
    assert_true(world->clients[1].was_refused);
    assert_int_equal(world->core.n_questions, 0);
    assert_int_equal(world->core.content_bytes, 0);
}

static void a_row_holds_all_content_that_is_allowed(void **state)
{
    const uint64_t limits[] = {1,
                               UINT64_C(1) << 20,
                               (UINT64_C(64) << 20) - 1,
                               UINT64_C(64) << 20,
                               UINT64_C(100) << 20,
                               UINT64_C(4) << 30,
                               (UINT64_C(1) << 37) - 1};

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t segment_bytes = stream_segment_bytes(limits[i]);

        assert_true(segment_bytes * CONTENT_ROW_MAX >= limits[i]);
        assert_int_equal(segment_bytes % (1 << 20), 0);
    }
    assert_int_equal(stream_segment_bytes(UINT64_C(100) << 20), SEGMENT);
    assert_int_equal(stream_segment_bytes(UINT64_MAX), UINT64_C(1) << 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_row_is_one_content),
        CASE(a_row_of_full_segments_is_ended_without_another),
        CASE(a_stream_of_nothing_is_refused),
        CASE(a_segment_that_is_not_full_ends_a_stream_in_the_middle),
        CASE(a_segment_that_is_too_long_ends_a_stream),
        CASE(wrong_seals_end_a_stream),
        CASE(a_segment_that_was_not_lent_ends_a_stream),
        CASE(a_segment_is_committed_once),
        CASE(a_segment_that_was_kept_for_too_long_ends_a_stream),
        CASE(content_that_a_question_uses_is_no_segment),
        CASE(what_is_more_than_the_limit_is_not_examined),
        CASE(exactly_the_limit_is_examined),
        CASE(segments_are_charged_until_the_answer),
        CASE(a_stream_can_be_taken_back),
        CASE(the_client_may_go_in_the_middle),
        CASE(a_stream_that_does_not_go_on_ends),
        CASE(nobody_is_blamed_for_the_time_that_it_took_to_come),
        CASE(its_time_begins_with_the_last_segment),
        CASE(a_broker_that_ends_sends_streams_to_its_successor),
        CASE(two_forms_of_content_are_refused),
        CASE(a_segment_of_a_stream_that_never_was_breaks_the_protocol),
        CASE(a_stream_id_that_does_not_rise_breaks_the_protocol),
        cmocka_unit_test(a_row_holds_all_content_that_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

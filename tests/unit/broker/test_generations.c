/* Providers that come, go, fail, and are followed by their next generation, one story at a time. */
#include <stdio.h>
#include <string.h>

#include "story.h"

/* Providers p<first> to p<last>, and p0 besides. */
static void configure_range(struct world *world, unsigned first, unsigned last)
{
    static char names[32][8];
    struct wire_configure configure = {.generation = 2, .mode = PES_MODE_ENFORCE};

    for (unsigned i = 0; i <= last; i = i == 0 ? first : i + 1) {
        snprintf(names[i], sizeof(names[i]), "p%u", i);
        configure.providers[configure.n_providers++] =
            (struct wire_config_provider){.name = wire_text(names[i]), .n_workers = 2};
    }
    world_launcher(world, WIRE_TYPE_CONFIGURE, &configure, 0);
}

static void fill_all_rows(struct world *world)
{
    configure_range(world, 1, PROVIDERS_MAX - 1);
    for (unsigned i = 2; i < PROVIDERS_MAX; i++) {
        const struct wire_instance_lost lost = {.name = wire_text(world->core.providers[i].name)};

        world_launcher(world, WIRE_TYPE_INSTANCE_LOST, &lost, 0); /* none of them ever comes */
    }
}

static void a_new_provider_gets_the_row_of_one_that_was_removed(void **state)
{
    struct world *world = *state;
    const struct attribution *sets = &world->core.stats.sets;
    const struct provider *provider = NULL;

    fill_all_rows(world);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, PES_SCAN_WANT_DETAILS);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_pass(world, 1000);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_MALICIOUS);
    assert_int_equal(attribution_busy_us(sets->sets, sets->n, 1), 1000);

    configure_range(world, 20, 31); /* p0 stays, twelve are new */
    configure_range(world, 17, 31); /* and three more */
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        assert_true(world->core.providers[i].is_configured);
        assert_int_equal(world->core.providers[i].index, i);
    }
    provider = &world->core.providers[1];
    assert_string_not_equal(provider->name, "p1");
    assert_int_equal(provider->stats.n_found, 0);
    assert_false(provider->has_kinds);
    /* What p1 did is nobody's but the broker's now. */
    assert_int_equal(attribution_busy_us(sets->sets, sets->n, 1), 0);
    assert_int_equal(attribution_total_us(sets->sets, sets->n), 1000);
    assert_int_equal(world->core.stats.wait_us, 1000);
    world_send(world, 1, WIRE_TYPE_DONE,
               &(struct wire_done){.id = 1, .did = PES_DID_USER_OVERRODE});
    assert_int_equal(provider->stats.n_overridden, 0);
}

static void a_new_provider_is_asked_like_any_other(void **state)
{
    struct world *world = *state;

    fill_all_rows(world);
    configure_range(world, 17, 17);
    world_start_provider(world, 17, 3, 1);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 0);
    world_answer(world, 3, busy_slot(world, 3), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.n_parts, 2);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

/* None of them may answer for a provider that is configured and has no row. */
static void a_broker_that_has_no_row_for_a_new_provider_ends(void **state)
{
    struct world *world = *state;

    fill_all_rows(world);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, 60 * SECOND, 0); /* keeps all rows */
    configure_range(world, 16, 30);
    assert_true(world->core.is_draining);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    assert_false(world->has_exited);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_true(world->has_exited);
}

static void a_lost_instance_answers_restarting_until_the_next_one_serves(void **state)
{
    struct world *world = *state;
    struct wire_instance_lost lost = {.name = wire_text("p0"), .generation = 1, .retry_in_ms = 100};

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world->instances[1] = (struct world_instance){0};
    world_feed(world, (struct event){.type = EVENT_INIT_CLOSED, .instance = 1});
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_RESTARTING);
    world_launcher(world, WIRE_TYPE_INSTANCE_LOST, &lost, 0);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_RESTARTING);
    world_start_provider(world, 0, 3, 2);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 3, busy_slot(world, 3), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

/* Its init was started with one worker, then two were configured. */
static void a_provider_is_not_asked_for_more_workers_than_it_was_started_with(void **state)
{
    struct world *world = *state;

    world->n_slots = 1;
    world_start_provider(world, 0, 3, 2);
    world_start_provider(world, 1, 4, 2);
    world_connect(world, 2, 1001, PES_CAN_STOP);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_ask(world, 2, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    assert_null(world->instances[3].workers[1].scan);
    world_answer(world, 3, 0, PES_VERDICT_NOT_DETECTED);
    world_answer(world, 4, 0, PES_VERDICT_NOT_DETECTED);
    world_reap(world);
    world_answer(world, 3, 0, PES_VERDICT_NOT_DETECTED);
    world_answer(world, 4, 0, PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

/* Provider p2, which was configured after the others, is not there yet. */
static void configure_a_third(struct world *world)
{
    world_configure(world, 3, 2);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 0);
}

static void a_provider_that_is_just_starting_is_waited_for(void **state)
{
    struct world *world = *state;

    configure_a_third(world);
    world_start_provider(world, 2, 3, 1);
    world_answer(world, 3, busy_slot(world, 3), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

static void a_provider_that_turns_out_not_to_take_the_kind_is_not_missed(void **state)
{
    struct world *world = *state;

    world_configure(world, 3, 2);
    world_ask(world, 1, PES_KIND_URL, SECOND, 0); /* the world's providers take kinds up to 60 */
    assert_int_equal(world->clients[1].n_answers, 0);
    world_start_provider(world, 2, 3, 1);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.parts[0].status, PES_STATUS_NOT_COMPETENT);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_NOT_EXAMINED);
}

static void a_provider_that_never_comes_is_not_ready(void **state)
{
    struct world *world = *state;
    struct wire_instance_lost lost = {.name = wire_text("p2"),
                                      .reason = wire_text("rules.yar:3: no")};

    configure_a_third(world);
    world_launcher(world, WIRE_TYPE_INSTANCE_LOST, &lost, 0);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.parts[2].status, PES_STATUS_NOT_READY);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_PARTIAL_PROVIDERS);
}

static void a_provider_that_is_still_starting_at_the_deadline_is_not_too_slow(void **state)
{
    struct world *world = *state;

    configure_a_third(world);
    world_pass(world, SECOND);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.parts[2].status, PES_STATUS_NOT_READY);
    assert_int_equal(world->core.providers[2].stats.n_timeouts, 0);
}

static void a_new_generation_takes_over_without_a_lost_question(void **state)
{
    struct world *world = *state;
    uint32_t old_slot;

    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    old_slot = busy_slot(world, 1);
    world_start_provider(world, 0, 3, 2);
    assert_true(world->instances[1].is_used); /* it still has work */
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 3, busy_slot(world, 3), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 1, old_slot, PES_VERDICT_NOT_DETECTED);
    assert_false(world->instances[1].is_used); /* and is stopped when that is done */
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 2);
}

static void a_generation_that_cannot_be_read_harms_nobody_who_serves(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3; i++) {
        world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0); /* the last one waits */
    }
    world_load_provider(world, 0, 3, 2);
    world_describe_badly(world, 3);
    assert_int_not_equal(world->core.providers[0].state, PES_PROVIDER_STATE_FAILED);
    assert_int_equal(strncmp(world->core.providers[0].reason, "a newer generation", 18), 0);
    for (uint32_t slot = 0; slot < 2; slot++) {
        world_answer(world, 1, slot, PES_VERDICT_NOT_DETECTED);
        world_answer(world, 2, slot, PES_VERDICT_NOT_DETECTED);
    }
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 3);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

/* Generation 2 of p0 comes with other proofs than 1 had, which found EICAR and one sample. */
static void replace_by(struct world *world, uint32_t n_samples, uint32_t test_strings)
{
    world->n_samples = n_samples;
    world->test_strings = test_strings;
    world_start_provider(world, 0, 4, 3);
}

static void serve_with_proofs(struct world *world)
{
    world->n_samples = 1;
    world->test_strings = 1;
    world_start_provider(world, 0, 3, 2);
    assert_false(world->instances[1].is_used); /* more than before is welcome */
}

static void assert_given_up(struct world *world, const char *why)
{
    const struct provider *provider = &world->core.providers[0];

    assert_true(world->instances[3].is_used);
    assert_false(world->instances[4].is_used);
    assert_non_null(strstr(provider->reason, why));
    assert_int_equal(strncmp(provider->reason, "a newer generation was given up", 31), 0);
    assert_int_equal(provider->refused_generation, 3);
    world_answer(world, 3, busy_slot(world, 3), PES_VERDICT_NOT_DETECTED);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

static void a_generation_that_lets_a_test_string_pass_is_given_up(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    replace_by(world, 1, 2); /* another one does not make up for it */
    assert_given_up(world, "test string EICAR pass");
}

static void a_generation_without_samples_does_not_follow_one_that_had_some(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    replace_by(world, 0, 7);
    assert_given_up(world, "no samples");
}

static void a_generation_that_was_accepted_may_prove_less(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    world->is_accepted = true;
    replace_by(world, 0, 0);
    assert_true(world->instances[4].is_used);
    assert_false(world->instances[3].is_used);
    assert_int_equal(world->core.providers[0].reason[0], '\0');
}

static void a_generation_that_was_given_up_can_be_followed_by_a_better_one(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    replace_by(world, 1, 0);
    world->test_strings = 3;
    world_start_provider(world, 0, 5, 4);
    assert_true(world->instances[5].is_used);
    assert_false(world->instances[3].is_used);
    assert_int_equal(world->core.providers[0].reason[0], '\0');
}

static void a_provider_that_serves_nobody_may_prove_less(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    world->instances[3] = (struct world_instance){0};
    world_feed(world, (struct event){.type = EVENT_INIT_CLOSED, .instance = 3});
    replace_by(world, 0, 0);
    assert_true(world->instances[4].is_used);
}

/* Its own end and the launcher's word about it come on two channels, in any order. */
static void make_room(struct world *world, bool is_heard_first)
{
    const struct wire_instance_lost lost = {
        .name = wire_text("p0"), .generation = 2, .retry_in_ms = 1, .makes_room = 1};

    if (is_heard_first) {
        world_launcher(world, WIRE_TYPE_INSTANCE_LOST, &lost, 0);
    }
    if (world->instances[3].is_used) {
        world->instances[3] = (struct world_instance){0};
        world_feed(world, (struct event){.type = EVENT_INIT_CLOSED, .instance = 3});
    }
    if (!is_heard_first) {
        world_launcher(world, WIRE_TYPE_INSTANCE_LOST, &lost, 0);
    }
}

static void one_that_follows_what_made_room_for_it_may_not_prove_less(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    make_room(world, true);
    replace_by(world, 0, 0);
    assert_false(world->instances[4].is_used);
    assert_non_null(strstr(world->core.providers[0].reason, "the one before is loaded again"));
}

static void what_made_room_is_compared_with_even_if_it_was_gone_before_that_was_said(void **state)
{
    struct world *world = *state;

    serve_with_proofs(world);
    make_room(world, false);
    replace_by(world, 0, 0);
    assert_false(world->instances[4].is_used);
    assert_non_null(strstr(world->core.providers[0].reason, "the one before is loaded again"));
}

static void a_provider_that_cannot_be_read_has_failed(void **state)
{
    struct world *world = *state;

    configure_a_third(world);
    world_load_provider(world, 2, 3, 1);
    world_describe_badly(world, 3);
    assert_int_equal(world->clients[1].n_answers, 1);
    assert_int_equal(world->answer.parts[2].status, PES_STATUS_NOT_READY);
    assert_int_equal(world->core.providers[2].state, PES_PROVIDER_STATE_FAILED);
}

static void an_older_generation_never_takes_over_from_a_newer_one(void **state)
{
    struct world *world = *state;

    world_load_provider(world, 0, 3, 2);
    world_load_provider(world, 0, 4, 3);
    world_describe_provider(world, 0, 4); /* overtakes the second one, which still loads */
    assert_false(world->instances[1].is_used);
    assert_true(world->instances[4].is_used);

    /* As told to a broker that was started anew: the newest first. */
    world_start_provider(world, 0, 3, 2);
    assert_true(world->instances[4].is_used);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    busy_slot(world, 4);
}

static void a_provider_that_is_switched_off_while_it_loads_is_ended(void **state)
{
    struct world *world = *state;

    world_load_provider(world, 1, 3, 2);
    world_configure(world, 1, 2);
    assert_false(world->instances[2].is_used);
}

static void a_provider_that_is_switched_on_again_is_waited_for(void **state)
{
    struct world *world = *state;

    world_configure(world, 1, 2);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL); /* nobody misses it */
    world_configure(world, 2, 2);
    world_ask(world, 1, PES_KIND_SCRIPT_SHELL, SECOND, 0);
    world_answer(world, 1, busy_slot(world, 1), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 1);
    world_start_provider(world, 1, 2, 2);
    world_answer(world, 2, busy_slot(world, 2), PES_VERDICT_NOT_DETECTED);
    assert_int_equal(world->clients[1].n_answers, 2);
    assert_int_equal(world->answer.coverage, PES_COVERAGE_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_provider_gets_the_row_of_one_that_was_removed),
        CASE(a_new_provider_is_asked_like_any_other),
        CASE(a_broker_that_has_no_row_for_a_new_provider_ends),
        CASE(a_lost_instance_answers_restarting_until_the_next_one_serves),
        CASE(a_provider_is_not_asked_for_more_workers_than_it_was_started_with),
        CASE(a_provider_that_is_just_starting_is_waited_for),
        CASE(a_provider_that_turns_out_not_to_take_the_kind_is_not_missed),
        CASE(a_provider_that_never_comes_is_not_ready),
        CASE(a_provider_that_is_still_starting_at_the_deadline_is_not_too_slow),
        CASE(a_new_generation_takes_over_without_a_lost_question),
        CASE(a_generation_that_cannot_be_read_harms_nobody_who_serves),
        CASE(a_generation_that_lets_a_test_string_pass_is_given_up),
        CASE(a_generation_without_samples_does_not_follow_one_that_had_some),
        CASE(a_generation_that_was_accepted_may_prove_less),
        CASE(a_generation_that_was_given_up_can_be_followed_by_a_better_one),
        CASE(a_provider_that_serves_nobody_may_prove_less),
        CASE(one_that_follows_what_made_room_for_it_may_not_prove_less),
        CASE(what_made_room_is_compared_with_even_if_it_was_gone_before_that_was_said),
        CASE(a_provider_that_cannot_be_read_has_failed),
        CASE(an_older_generation_never_takes_over_from_a_newer_one),
        CASE(a_provider_that_is_switched_off_while_it_loads_is_ended),
        CASE(a_provider_that_is_switched_on_again_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

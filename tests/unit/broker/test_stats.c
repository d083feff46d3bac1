/* What is counted: nobody's numbers can hide those of others, and all of them add up. */
#include <stdio.h>
#include <string.h>

#include "broker/stats.h"
#include "testing.h"
#include "wire/name_table.h"

static struct stats stats;

static int set_up(void **state)
{
    memset(&stats, 0, sizeof(stats));
    return 0;
}

static void add(uint32_t uid, const char *program, uint32_t kind, uint64_t wait_us)
{
    struct stats_wait wait;

    stats_wait_start(&wait, 1000);
    stats_add_question(&stats, &wait,
                       &(struct stats_question){.uid = uid, .client = program, .kind = kind},
                       1000 + wait_us);
}

static void add_numbered(uint32_t uid, unsigned number, uint64_t wait_us)
{
    char name[16];

    snprintf(name, sizeof(name), "copy%u", number);
    add(uid, name, PES_KIND_URL, wait_us);
}

static const struct client_stats *row_of(uint32_t uid, const char *program)
{
    for (size_t i = 0; i < stats.n_clients; i++) {
        if (stats.clients[i].uid == uid && strcmp(stats.clients[i].name, program) == 0) {
            return &stats.clients[i];
        }
    }
    return NULL;
}

static void assert_sums(void)
{
    uint64_t n_scans = 0, wait_us = 0, kind_wait_us = 0;

    for (size_t i = 0; i <= STATS_CLIENTS_MAX; i++) {
        n_scans += stats.clients[i].count;
        wait_us += stats.clients[i].wait_us;
    }
    for (size_t i = 0; i < STATS_KINDS_MAX; i++) {
        kind_wait_us += stats.kinds[i].wait_us;
    }
    assert_int_equal(n_scans, stats.n_scans);
    assert_int_equal(wait_us, stats.wait_us);
    assert_int_equal(kind_wait_us, stats.wait_us);
}

static void many_names_of_one_user_leave_room_for_the_programs_of_others(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        add_numbered(1, i, 60000000);
    }
    assert_int_equal(stats.n_clients, STATS_CLIENTS_MAX);
    add(2, "editor", PES_KIND_URL, 10);
    add(2, "mailer", PES_KIND_URL, 10);
    for (unsigned i = 100; i < 200; i++) {
        add_numbered(1, i, 60000000);
    }
    assert_non_null(row_of(2, "editor"));
    assert_non_null(row_of(2, "mailer"));
    assert_int_equal(row_of(2, "mailer")->wait_us, 10);
    assert_sums();
}

static void one_user_alone_may_have_all_rows(void **state)
{
    for (unsigned i = 0; i < STATS_CLIENTS_MAX; i++) {
        add_numbered(1, i, 10);
    }
    assert_int_equal(stats.n_clients, STATS_CLIENTS_MAX);
    assert_int_equal(stats.clients[STATS_CLIENTS_MAX].count, 0);
}

static void who_waits_most_has_a_row_however_many_names_there_are(void **state)
{
    for (unsigned i = 0; i < 1000; i++) {
        add_numbered(1, i, 10);
        if (i >= 500) {
            add(1, "browser", PES_KIND_URL, 10); /* comes late, and every second time */
        }
    }
    assert_non_null(row_of(1, "browser"));
    assert_true(row_of(1, "browser")->count > 400);
    assert_sums();
}

static void numbers_that_are_no_kind_share_a_row(void **state)
{
    for (uint32_t kind = 1; kind < 1000; kind++) {
        add(1, "asker", kind, 10);
    }
    assert_int_equal(stats.kinds[PES_KIND_URL].count, 1);
    assert_true(stats.kinds[0].count > 900);
    for (size_t i = 1; i < STATS_KINDS_MAX; i++) {
        assert_true(stats.kinds[i].count == 0 || kind_by_number((uint32_t)i));
    }
    assert_sums();
}

#define STATS_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATS_TEST(many_names_of_one_user_leave_room_for_the_programs_of_others),
        STATS_TEST(one_user_alone_may_have_all_rows),
        STATS_TEST(who_waits_most_has_a_row_however_many_names_there_are),
        STATS_TEST(numbers_that_are_no_kind_share_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A fake broker and a context, for the tests that ask. */
#pragma once

#include <pes/pes.h>

#include "fake_broker.h"
#include "testing.h"

struct fixture {
    struct fake_broker fake;
    struct pes_ctx *ctx;
};

/* A running broker and a context that can do everything. */
int fixture_setup(void **state);
/* The same without the broker running. */
int fixture_setup_down(void **state);
int fixture_teardown(void **state);

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define FIXTURE_TEST_DOWN(name)                                                                    \
    cmocka_unit_test_setup_teardown(name, fixture_setup_down, fixture_teardown)

/* A request of a kind that runs, with a few bytes of content. */
struct pes_request *fixture_request(struct fixture *fixture);

/* Asks it, gives what the answer says, and closes it. */
struct pes_answer_info fixture_ask(struct pes_request *request);

/* What an answer says; its pointers end with it. */
struct pes_answer_info fixture_info(const struct pes_answer *answer);

/* Polls and processes until the request has an answer; fails after five seconds. */
struct pes_answer *fixture_await(struct fixture *fixture, struct pes_request *request);

/* How many descriptors this process has. */
size_t fixture_n_fds(void);

/* See client_fixture.h. */
#include "client_fixture.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>

#include "sys/clock.h"

int fixture_setup_down(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fake_broker_setup(&fixture->fake);
    fixture->ctx = pes_open("unit test", "1.0", PES_CAN_STOP | PES_CAN_ASK);
    assert_non_null(fixture->ctx);
    *state = fixture;
    return 0;
}

int fixture_setup(void **state)
{
    fixture_setup_down(state);
    fake_broker_start(&((struct fixture *)*state)->fake);
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    pes_close(fixture->ctx);
    fake_broker_teardown(&fixture->fake);
    free(fixture);
    return 0;
}

struct pes_request *fixture_request(struct fixture *fixture)
{
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_COMMAND_PASTED);

    assert_non_null(request);
    assert_int_equal(pes_request_bytes(request, "hello", 5), 0);
    return request;
}

struct pes_answer_info fixture_info(const struct pes_answer *answer)
{
    struct pes_answer_info info = {.size_bytes = sizeof(info)};

    pes_answer_info(answer, &info);
    return info;
}

struct pes_answer_info fixture_ask(struct pes_request *request)
{
    struct pes_answer *answer = pes_ask(request);
    struct pes_answer_info info = fixture_info(answer);

    assert_non_null(answer);
    assert_string_not_equal(pes_answer_message(answer), "");
    assert_true(info.action >= PES_GO && info.action <= PES_STOP);
    info.ref = info.advice_text = NULL;
    info.digest = NULL;
    pes_answer_close(answer, PES_DID_REFUSE);
    return info;
}

struct pes_answer *fixture_await(struct fixture *fixture, struct pes_request *request)
{
    uint64_t until_us = clock_now_us() + 5000000;
    struct pes_answer *answer;

    while (!(answer = pes_take_answer(request))) {
        struct pollfd polled = {.fd = pes_fd(fixture->ctx), .events = POLLIN};

        assert_true(clock_now_us() < until_us);
        poll(&polled, 1, pes_wait_ms(fixture->ctx));
        pes_process(fixture->ctx);
    }
    return answer;
}

size_t fixture_n_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(folder);
    while (readdir(folder)) {
        n++;
    }
    closedir(folder);
    return n;
}

/* Contexts in threads: different ones are independent. Run under the thread sanitizer, too. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "client_fixture.h"

#define N_THREADS   8
#define N_QUESTIONS 50

/* Asks with a context of its own, waiting and not. */
static void *ask_many(void *arg)
{
    size_t *n_good = arg;
    struct pes_ctx *ctx = pes_open("thread", "1", PES_CAN_STOP);
    static const uint8_t bytes[40000];

    for (int i = 0; i < N_QUESTIONS; i++) {
        struct pes_request *request = pes_request_new(ctx, PES_KIND_GENERIC);
        struct pes_answer *answer;
        struct pes_answer_info info = {.size_bytes = sizeof(info)};

        pes_request_bytes(request, bytes, i % 25 == 0 ? sizeof(bytes) : 100);
        if (i % 2) {
            answer = pes_ask(request);
        } else {
            pes_start(request);
            while (!(answer = pes_take_answer(request))) {
                struct pollfd polled = {.fd = pes_fd(ctx), .events = POLLIN};

                poll(&polled, 1, pes_wait_ms(ctx));
                pes_process(ctx);
            }
            pes_request_free(request);
        }
        pes_answer_info(answer, &info);
        *n_good += info.error == 0 && info.action == PES_GO;
        pes_answer_close(answer, PES_DID_RUN);
    }
    pes_close(ctx);
    return NULL;
}

static void contexts_of_different_threads_are_independent(void **state)
{
    pthread_t threads[N_THREADS];
    size_t n_good[N_THREADS] = {0};

    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &n_good[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(n_good[i], N_QUESTIONS);
    }
}

static void *close_answer(void *arg)
{
    pes_answer_close(arg, PES_DID_RUN);
    return NULL;
}

/* Once the context is closed, each may end in a thread of its own. */
static void answers_without_a_context_belong_to_whoever_holds_them(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[N_THREADS];
    struct pes_answer *answers[N_THREADS];

    for (size_t i = 0; i < N_THREADS; i++) {
        answers[i] = pes_ask(fixture_request(fixture));
    }
    pes_close(fixture->ctx);
    fixture->ctx = NULL;
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, close_answer, answers[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void *ask_on(void *arg)
{
    struct pes_request *request = pes_request_new(arg, PES_KIND_GENERIC);

    pes_request_bytes(request, "x", 1);
    pes_answer_close(pes_ask(request), PES_DID_RUN);
    return NULL;
}

/* One call at a time is all that is asked for: not one thread. */
static void a_context_may_move_from_thread_to_thread(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, ask_on, fixture->ctx), 0);
        pthread_join(thread, NULL);
    }
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, N_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(contexts_of_different_threads_are_independent),
        FIXTURE_TEST(answers_without_a_context_belong_to_whoever_holds_them),
        FIXTURE_TEST(a_context_may_move_from_thread_to_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A broker that breaks the protocol: the application gets an answer of the policy, and no harm. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client_fixture.h"
#include "sys/packet.h"

/* Runs one question against a handler and gives the answer's facts. */
static struct pes_answer_info against(fake_handler handler, size_t n_bytes)
{
    struct pes_answer_info info;
    struct fixture *fixture;
    struct pes_request *request;
    uint8_t *bytes = calloc(1, n_bytes + 1);
    size_t n_fds = fixture_n_fds();
    void *state;

    fixture_setup_down(&state);
    fixture = state;
    fixture->fake.handler = handler;
    fake_broker_start(&fixture->fake);
    request = pes_request_new(fixture->ctx, PES_KIND_COMMAND_PASTED);
    pes_request_timeout_ms(request, 200);
    assert_int_equal(pes_request_bytes(request, bytes, n_bytes), 0);
    info = fixture_ask(request);
    fixture_teardown(&state);
    assert_true(fixture_n_fds() <= n_fds);
    free(bytes);
    return info;
}

/* Whatever it does, nothing good comes of it. */
static void is_refused(fake_handler handler, size_t n_bytes, int error)
{
    struct pes_answer_info info = against(handler, n_bytes);

    assert_int_equal(info.error, error);
    assert_int_equal(info.verdict, PES_VERDICT_NONE);
    assert_int_equal(info.coverage, PES_COVERAGE_NOT_EXAMINED);
    assert_int_equal(info.decided_by, PES_DECIDED_BY_FAIL_POLICY);
    assert_int_equal(info.action, PES_ASK);
}

static bool garbage_for_hello(struct fake_broker *fake, struct fake_connection *connection,
                              const struct wire_frame *frame)
{
    fake_send_raw(connection, "\xff\xff\xff\xff", 4, -1);
    return true;
}

static bool garbage_for_ask(struct fake_broker *fake, struct fake_connection *connection,
                            const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    fake_send_raw(connection, "\x42\x03\x08\x01", 4, -1);
    return true;
}

static void garbage_ends_the_connection(void **state)
{
    is_refused(garbage_for_hello, 5, -PES_E_PROTOCOL);
    is_refused(garbage_for_ask, 5, -PES_E_PROTOCOL);
}

static bool other_version(struct fake_broker *fake, struct fake_connection *connection,
                          const struct wire_frame *frame)
{
    struct wire_welcome welcome = {.version = 2, .max_in_flight = 5};

    fake_send(connection, WIRE_TYPE_WELCOME, &welcome);
    return true;
}

static void a_version_that_was_not_offered_is_no_version(void **state)
{
    is_refused(other_version, 5, -PES_E_VERSION);
}

static bool answer_before_welcome(struct fake_broker *fake, struct fake_connection *connection,
                                  const struct wire_frame *frame)
{
    fake_answer(connection, 1);
    return true;
}

static bool welcome_twice(struct fake_broker *fake, struct fake_connection *connection,
                          const struct wire_frame *frame)
{
    struct wire_welcome welcome = {.version = 1, .max_in_flight = 5, .max_inline_bytes = 100};

    fake_send(connection, WIRE_TYPE_WELCOME, &welcome);
    return true;
}

static bool talk_like_a_client(struct fake_broker *fake, struct fake_connection *connection,
                               const struct wire_frame *frame)
{
    struct wire_cancel cancel = {.id = 1};

    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    fake_send(connection, WIRE_TYPE_CANCEL, &cancel);
    return true;
}

static void a_message_at_the_wrong_time_ends_the_connection(void **state)
{
    is_refused(answer_before_welcome, 5, -PES_E_PROTOCOL);
    is_refused(welcome_twice, 5, -PES_E_PROTOCOL);
    is_refused(talk_like_a_client, 5, -PES_E_PROTOCOL);
}

static bool answer_another(struct fake_broker *fake, struct fake_connection *connection,
                           const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    fake_answer(connection, frame->ask.id + 1);
    return true;
}

static void an_answer_to_what_was_not_asked_ends_the_connection(void **state)
{
    is_refused(answer_another, 5, -PES_E_PROTOCOL);
}

static bool answer_twice(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        fake_answer(connection, frame->ask.id);
    }
    return true;
}

static void only_the_first_of_several_answers_counts(void **state)
{
    void *inner;
    struct fixture *fixture;

    fixture_setup_down(&inner);
    fixture = inner;
    fixture->fake.handler = answer_twice;
    fake_broker_start(&fixture->fake);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    }
    fixture_teardown(&inner);
}

static bool undecided(struct fake_broker *fake, struct fake_connection *connection,
                      const struct wire_frame *frame)
{
    struct wire_answer *answer;

    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    answer = calloc(1, sizeof(*answer));
    answer->id = frame->ask.id;
    answer->action = PES_GO; /* but for no reason at all */
    fake_send(connection, WIRE_TYPE_ANSWER, answer);
    free(answer);
    return true;
}

static void an_answer_that_decides_nothing_is_not_a_good_one(void **state)
{
    is_refused(undecided, 5, -PES_E_PROTOCOL);
}

static bool unknown_message_first(struct fake_broker *fake, struct fake_connection *connection,
                                  const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_ASK) {
        fake_send_raw(connection, "\xfa\x01\x00", 3, -1); /* type 31, empty */
    }
    return false;
}

static void a_message_of_the_future_is_skipped(void **state)
{
    assert_int_equal(against(unknown_message_first, 5).error, 0);
}

/* ---- descriptors */

static void send_reserved(struct fake_connection *connection, uint64_t id, int fd)
{
    struct wire_reserved reserved = {.content_id = id};
    uint8_t buffer[64];
    size_t n;

    if (wire_encode(WIRE_TYPE_RESERVED, &reserved, buffer, sizeof(buffer), &n) != 0) {
        abort();
    }
    fake_send_raw(connection, buffer, n, fd);
    if (fd >= 0) {
        close(fd);
    }
}

static int memfd_of(uint64_t n_bytes, int seals)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t)n_bytes) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0) {
        abort();
    }
    return fd;
}

static bool lend_nothing(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    send_reserved(connection, frame->reserve.content_id, -1);
    return true;
}

static bool lend_too_little(struct fake_broker *fake, struct fake_connection *connection,
                            const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    send_reserved(connection, frame->reserve.content_id,
                  memfd_of(frame->reserve.bytes - 1, F_SEAL_GROW | F_SEAL_SHRINK));
    return true;
}

static bool lend_what_shrinks(struct fake_broker *fake, struct fake_connection *connection,
                              const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    send_reserved(connection, frame->reserve.content_id,
                  memfd_of(frame->reserve.bytes, F_SEAL_GROW));
    return true;
}

static bool lend_what_is_sealed(struct fake_broker *fake, struct fake_connection *connection,
                                const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    send_reserved(connection, frame->reserve.content_id,
                  memfd_of(frame->reserve.bytes, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE));
    return true;
}

static bool lend_a_device(struct fake_broker *fake, struct fake_connection *connection,
                          const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    send_reserved(connection, frame->reserve.content_id, open("/dev/zero", O_RDWR | O_CLOEXEC));
    return true;
}

static bool lend_to_somebody_else(struct fake_broker *fake, struct fake_connection *connection,
                                  const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    send_reserved(connection, frame->reserve.content_id + 1,
                  memfd_of(frame->reserve.bytes, F_SEAL_GROW | F_SEAL_SHRINK));
    return true;
}

static bool lend_never(struct fake_broker *fake, struct fake_connection *connection,
                       const struct wire_frame *frame)
{
    return frame->type == WIRE_TYPE_RESERVE;
}

static void memory_that_is_not_what_was_asked_for_is_not_used(void **state)
{
    is_refused(lend_nothing, 50000, -PES_E_PROTOCOL);
    is_refused(lend_too_little, 50000, -PES_E_PROTOCOL);
    is_refused(lend_what_shrinks, 50000, -PES_E_PROTOCOL);
    is_refused(lend_what_is_sealed, 50000, -PES_E_PROTOCOL);
    is_refused(lend_a_device, 50000, -PES_E_PROTOCOL);
    is_refused(lend_to_somebody_else, 50000, -PES_E_PROTOCOL);
    is_refused(lend_never, 50000, -PES_E_DEADLINE_PASSED);
}

static bool answer_with_a_gift(struct fake_broker *fake, struct fake_connection *connection,
                               const struct wire_frame *frame)
{
    static struct wire_answer answer;
    uint8_t buffer[256];
    size_t n;
    int fd;

    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    answer = (struct wire_answer){
        .id = frame->ask.id,
        .disposition = PES_DISPOSITION_ALLOW,
        .action = PES_GO,
    };
    if (wire_encode(WIRE_TYPE_ANSWER, &answer, buffer, sizeof(buffer), &n) != 0) {
        abort();
    }
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fake_send_raw(connection, buffer, n, fd);
    close(fd);
    return true;
}

static bool two_gifts(struct fake_broker *fake, struct fake_connection *connection,
                      const struct wire_frame *frame)
{
    struct wire_reserved reserved = {.content_id = frame->reserve.content_id};
    uint8_t buffer[64];
    int fds[2];
    size_t n;

    if (frame->type != WIRE_TYPE_RESERVE) {
        return false;
    }
    fds[0] = memfd_of(frame->reserve.bytes, F_SEAL_GROW | F_SEAL_SHRINK);
    fds[1] = dup(fds[0]);
    if (wire_encode(WIRE_TYPE_RESERVED, &reserved, buffer, sizeof(buffer), &n) != 0 ||
        packet_send_fds(connection->fd, buffer, n, fds, 2) != 0) {
        abort();
    }
    close(fds[0]);
    close(fds[1]);
    return true;
}

static void a_descriptor_that_nobody_asked_for_is_closed(void **state)
{
    struct fixture *fixture;
    struct pes_request *request;
    static uint8_t bytes[50000];
    void *inner;

    is_refused(answer_with_a_gift, 5, -PES_E_PROTOCOL);

    fixture_setup_down(&inner);
    fixture = inner;
    fixture->fake.handler = two_gifts;
    fake_broker_start(&fixture->fake);
    request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    assert_int_equal(pes_request_bytes(request, bytes, sizeof(bytes)), -PES_E_NO_MEMORY);
    pes_request_free(request);
    fixture_teardown(&inner);
}

static bool flood(struct fake_broker *fake, struct fake_connection *connection,
                  const struct wire_frame *frame)
{
    if (frame->type == WIRE_TYPE_ASK) {
        for (int i = 0; i < 100; i++) {
            fake_send_raw(connection, "\xfa\x01\x00", 3, -1);
        }
    }
    return frame->type == WIRE_TYPE_ASK;
}

static void a_broker_that_never_stops_talking_costs_no_more_than_the_time(void **state)
{
    is_refused(flood, 5, -PES_E_DEADLINE_PASSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_ends_the_connection),
        cmocka_unit_test(a_version_that_was_not_offered_is_no_version),
        cmocka_unit_test(a_message_at_the_wrong_time_ends_the_connection),
        cmocka_unit_test(an_answer_to_what_was_not_asked_ends_the_connection),
        cmocka_unit_test(only_the_first_of_several_answers_counts),
        cmocka_unit_test(an_answer_that_decides_nothing_is_not_a_good_one),
        cmocka_unit_test(a_message_of_the_future_is_skipped),
        cmocka_unit_test(memory_that_is_not_what_was_asked_for_is_not_used),
        cmocka_unit_test(a_descriptor_that_nobody_asked_for_is_closed),
        cmocka_unit_test(a_broker_that_never_stops_talking_costs_no_more_than_the_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Connections that end: restart, goaway, fork, strangers. The questions are answered all the
 * same. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client_fixture.h"
#include "sys/packet.h"

static void a_broker_that_was_restarted_is_connected_to_anew(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    fake_broker_stop(&fixture->fake);
    fake_broker_start(&fixture->fake);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 2);
}

static void a_broker_that_comes_up_later_is_found(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(fixture_ask(fixture_request(fixture)).error, -PES_E_NO_BROKER);
    fake_broker_start(&fixture->fake);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    /* And once it was there, its absence means down, whatever files there are. */
    fake_broker_stop(&fixture->fake);
    unlink(fixture->fake.policy);
    assert_int_equal(fixture_ask(fixture_request(fixture)).message_id, PES_MESSAGE_ID_BROKER_DOWN);
}

static void a_place_that_cannot_be_is_down_and_says_why(void **state)
{
    struct fixture *fixture = *state;
    char too_long[200];

    memset(too_long, 'd', sizeof(too_long) - 1);
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    unsetenv("PES_CLIENT_POLICY");
    for (int i = 0; i < 2; i++) {
        struct pes_answer *answer;

        setenv("PES_RUNTIME_DIR", i == 0 ? "run/pes" : too_long, 1);
        answer = pes_ask(fixture_request(fixture));
        assert_int_equal(fixture_info(answer).error, -PES_E_NO_BROKER);
        assert_int_equal(fixture_info(answer).message_id, PES_MESSAGE_ID_BROKER_DOWN);
        assert_non_null(strstr(pes_answer_message(answer), "PES_RUNTIME_DIR is "));
        pes_answer_close(answer, PES_DID_REFUSE);
    }
}

static void a_policy_that_is_lost_makes_nothing_milder(void **state)
{
    struct fixture *fixture = *state;
    int policy = open(fixture->fake.policy, O_WRONLY | O_CLOEXEC);

    assert_int_equal(write(policy, "down = deny\n", 12), 12);
    close(policy);
    assert_int_equal(fixture_ask(fixture_request(fixture)).action, PES_STOP);
    unlink(fixture->fake.policy);
    assert_int_equal(fixture_ask(fixture_request(fixture)).action, PES_STOP);
}

/* Hangs up on the question, `count` times. */
static bool hang_up(struct fake_broker *fake, struct fake_connection *connection,
                    const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_ASK || fake->count == 0) {
        return false;
    }
    fake->count--;
    fake_close(connection);
    return true;
}

static void a_question_lost_once_is_asked_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->fake.handler = hang_up;
    fixture->fake.count = 1;
    fake_broker_start(&fixture->fake);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 2);
}

static void a_question_lost_twice_is_answered_by_the_policy(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer_info info;

    fixture->fake.handler = hang_up;
    fixture->fake.count = 2;
    fake_broker_start(&fixture->fake);
    info = fixture_ask(fixture_request(fixture));
    assert_int_equal(info.error, -PES_E_BROKER_LOST);
    assert_int_equal(info.action, PES_ASK);
    assert_int_equal(info.message_id, PES_MESSAGE_ID_BROKER_DOWN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_ASK, 2);
}

static void questions_asked_again_keep_their_order_and_their_large_content(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *requests[10];
    static uint8_t bytes[50000];

    fixture->fake.handler = hang_up;
    fixture->fake.count = 1;
    fake_broker_start(&fixture->fake);
    for (size_t i = 0; i < 10; i++) {
        requests[i] = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        memset(bytes, (int)i, sizeof(bytes));
        assert_int_equal(pes_request_bytes(requests[i], bytes, sizeof(bytes)), 0);
    }
    for (size_t i = 0; i < 10; i++) {
        pes_start(requests[i]);
    }
    for (size_t i = 0; i < 10; i++) {
        struct pes_answer *answer = fixture_await(fixture, requests[i]);
        uint8_t first;
        int fd;

        assert_int_equal(fixture_info(answer).error, 0);
        fd = pes_answer_take_content(answer);
        assert_int_equal(pread(fd, &first, 1, 49999), 1);
        assert_int_equal(first, i);
        close(fd);
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
    /* Lent once by each broker: ten, and what had not been answered again. */
    assert_true(fake_broker_seen(&fixture->fake, WIRE_TYPE_RESERVE) > 10);
}

static bool refuse_hello(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    const uint32_t *error = fake->data;
    struct wire_refusal refusal = {
        .type = WIRE_TYPE_HELLO,
        .error = *error,
        .is_fatal = 1,
        .retry_after_ms = 50,
    };

    fake_send(connection, WIRE_TYPE_REFUSAL, &refusal);
    fake_close(connection);
    return true;
}

static void a_refused_connection_says_why_and_is_not_tried_again(void **state)
{
    static const uint32_t errors[] = {PES_E_VERSION, PES_E_QUOTA, PES_E_PERMISSION};

    for (size_t i = 0; i < 3; i++) {
        void *inner;
        struct fixture *fixture;
        uint32_t error = errors[i];

        fixture_setup_down(&inner);
        fixture = inner;
        fixture->fake.handler = refuse_hello;
        fixture->fake.data = &error;
        fake_broker_start(&fixture->fake);
        assert_int_equal(fixture_ask(fixture_request(fixture)).error, -(int)error);
        fake_broker_await(&fixture->fake, WIRE_TYPE_HELLO, 1);
        assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 1);
        fixture_teardown(&inner);
    }
}

/* A listening socket where the fixture's broker would be. */
static int listen_there(struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, fixture->fake.socket, sizeof(fixture->fake.socket));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Refuses who connected, without reading anything. */
static void turn_away(int listener)
{
    struct fake_connection connection = {.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)};
    const struct wire_refusal refusal = {
        .type = WIRE_TYPE_HELLO,
        .error = PES_E_QUOTA,
        .is_fatal = 1,
        .retry_after_ms = 50,
    };

    assert_true(connection.fd >= 0);
    fake_send(&connection, WIRE_TYPE_REFUSAL, &refusal);
    fake_close(&connection);
}

static void a_connection_refused_before_or_after_hello_hears_why(void **state)
{
    struct fixture *fixture = *state;
    int listener = listen_there(fixture);

    for (int is_before = 0; is_before < 2; is_before++) {
        struct pes_answer_info info;
        struct pes_request *request;
        struct pes_ctx *ctx;
        int fd = pes_connect();

        assert_true(fd >= 0);
        if (is_before) {
            turn_away(listener);
        }
        ctx = pes_open_fd(fd, "unit test", "1.0", PES_CAN_STOP); /* says hello */
        if (!is_before) {
            turn_away(listener);
        }
        request = pes_request_new(ctx, PES_KIND_GENERIC);
        assert_int_equal(pes_request_bytes(request, "hello", 5), 0);
        info = fixture_ask(request);
        assert_int_equal(info.error, -PES_E_QUOTA);
        assert_string_equal(info.quota, "connections"); /* a constant of the library's */
        pes_close(ctx);
    }
    close(listener);
    unlink(fixture->fake.socket);
}

static bool hang_up_on_hello(struct fake_broker *fake, struct fake_connection *connection,
                             const struct wire_frame *frame)
{
    fake_close(connection);
    return true;
}

static void a_broker_that_hangs_up_on_everybody_is_given_up(void **state)
{
    struct fixture *fixture = *state;

    fixture->fake.handler = hang_up_on_hello;
    fake_broker_start(&fixture->fake);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, -PES_E_BROKER_LOST);
    assert_true(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO) <= 3);
}

/* The first connection: answers question 1 only after question 2 was seen, and goes away before. */
static bool go_away(struct fake_broker *fake, struct fake_connection *connection,
                    const struct wire_frame *frame)
{
    struct wire_goaway goaway = {.last_id = 1};

    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    if (connection->number == 1) {
        fake->kept = connection;
        if (frame->ask.id == 1) {
            fake_send(connection, WIRE_TYPE_GOAWAY, &goaway);
        }
        return true; /* the first one is answered later, others never */
    }
    if (fake->kept) {
        fake_answer(fake->kept, 1);
        fake->kept = NULL;
    }
    return false;
}

static void after_goaway_open_questions_finish_and_new_ones_go_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *old = fixture_request(fixture), *crossed = fixture_request(fixture);
    struct pes_answer *answers[2];

    fixture->fake.handler = go_away;
    fake_broker_start(&fixture->fake);
    pes_start(old);
    pes_start(crossed); /* its number is beyond the last one */
    answers[1] = fixture_await(fixture, crossed);
    answers[0] = fixture_await(fixture, old);
    assert_int_equal(fixture_info(answers[0]).error, 0);
    assert_int_equal(fixture_info(answers[1]).error, 0);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 2);
    /* Each is acknowledged where it was answered. */
    pes_answer_close(answers[0], PES_DID_RUN);
    pes_answer_close(answers[1], PES_DID_RUN);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 2);
    pes_request_free(old);
    pes_request_free(crossed);
}

static bool always_go_away(struct fake_broker *fake, struct fake_connection *connection,
                           const struct wire_frame *frame)
{
    struct wire_welcome welcome = {
        .version = WIRE_PROTOCOL_VERSION,
        .max_inline_bytes = WIRE_INLINE_BYTES_MAX,
        .max_in_flight = 1,
    };
    struct wire_goaway goaway = {0};

    if (frame->type == WIRE_TYPE_HELLO) {
        fake_send(connection, WIRE_TYPE_WELCOME, &welcome);
        fake_send(connection, WIRE_TYPE_GOAWAY, &goaway);
    }
    return true;
}

static void a_broker_that_always_goes_away_is_given_up(void **state)
{
    struct fixture *fixture = *state;

    fixture->fake.handler = always_go_away;
    fake_broker_start(&fixture->fake);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, -PES_E_BROKER_LOST);
}

/* ---- fork */

static bool answer_after_second_connection(struct fake_broker *fake,
                                           struct fake_connection *connection,
                                           const struct wire_frame *frame)
{
    if (frame->type != WIRE_TYPE_ASK) {
        return false;
    }
    if (!fake->kept) {
        fake->kept = connection;
        return true;
    }
    fake_answer(connection, frame->ask.id);
    if (connection != fake->kept) {
        fake_answer(fake->kept, 1);
    }
    return true;
}

/* In the child: what was under way is lost, and new questions work, on a connection of its own. */
static int child(struct fixture *fixture, struct pes_request *request, int fd)
{
    struct pes_answer *answer = pes_take_answer(request);
    struct pes_answer_info info;

    if (!answer || fixture_info(answer).error != -PES_E_BROKER_LOST) {
        return 1;
    }
    pes_answer_close(answer, PES_DID_REFUSE);
    if (pes_fd(fixture->ctx) != fd) {
        return 2;
    }
    answer = pes_ask(fixture_request(fixture));
    info = fixture_info(answer);
    pes_answer_close(answer, PES_DID_RUN);
    pes_request_free(request);
    pes_close(fixture->ctx);
    return info.error == 0 ? 0 : 3;
}

static void after_fork_both_go_on(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = fixture_request(fixture);
    struct pes_answer *answer;
    int status, fd;
    pid_t pid;

    fixture->fake.handler = answer_after_second_connection;
    fake_broker_start(&fixture->fake);
    pes_request_timeout_ms(request, 20000);
    pes_start(request);
    while (fake_broker_seen(&fixture->fake, WIRE_TYPE_ASK) == 0) {
        pes_process(fixture->ctx);
    }
    fd = pes_fd(fixture->ctx);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(child(fixture, request, fd));
    }
    answer = fixture_await(fixture, request); /* it comes on the parent's connection */
    assert_int_equal(fixture_info(answer).error, 0);
    pes_answer_close(answer, PES_DID_RUN);
    pes_request_free(request);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 2);
    /* The child's end did not disturb the parent's polling. */
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
}

/* ---- fork into a PID namespace, where parent and child are both process 1 */

#define EXIT_DENIED 77

static bool write_map(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0) {
        close(fd);
    }
    return is_written;
}

/* Later children are in a PID namespace of their own. Without root it takes a user namespace, in
 * which we stay who we are. */
static bool leave_pid_namespace(void)
{
    char map[64];

    snprintf(map, sizeof(map), "%u %u 1", geteuid(), geteuid());
    return unshare(CLONE_NEWPID) == 0 ||
           (unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 && write_map("/proc/self/uid_map", map));
}

static int status_of(pid_t pid)
{
    int status;

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                           : 99;
}

/* Process 1, and its parent is process 1 to itself. */
static int child_of_first_process(struct pes_request *request)
{
    struct pes_answer *answer = pes_take_answer(request);

    if (getpid() != 1) {
        return 1;
    }
    return answer && fixture_info(answer).error == -PES_E_BROKER_LOST ? 0 : 2;
}

/* As process 1: forks a child that must not take the connection for its own. */
static int first_process(struct fixture *fixture)
{
    struct pes_request *request = fixture_request(fixture);
    pid_t pid;

    pes_start(request);
    if (unshare(CLONE_NEWPID) < 0) {
        return EXIT_DENIED;
    }
    pid = fork();
    if (pid == 0) {
        _exit(child_of_first_process(request));
    }
    return status_of(pid);
}

static bool never_answer(struct fake_broker *fake, struct fake_connection *connection,
                         const struct wire_frame *frame)
{
    return frame->type == WIRE_TYPE_ASK;
}

static void a_child_with_its_parent_s_process_id_is_a_child_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    int status;
    pid_t pid;

    fixture->fake.handler = never_answer;
    fake_broker_start(&fixture->fake);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        pid_t first = leave_pid_namespace() ? fork() : -1;

        if (first == 0) {
            _exit(first_process(fixture));
        }
        _exit(first < 0 ? EXIT_DENIED : status_of(first));
    }
    status = status_of(pid);
    if (status == EXIT_DENIED) {
        skip_because("PID namespaces are denied here");
    }
    assert_int_equal(status, 0);
}

static void content_put_in_before_fork_is_asked_about_in_the_child(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *request = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
    static uint8_t bytes[70000];
    int status;
    pid_t pid;

    assert_int_equal(pes_request_bytes(request, bytes, sizeof(bytes)), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(fixture_ask(request).error == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_RESERVE), 2);
    assert_int_equal(fixture_ask(request).error, 0);
}

static void an_answer_closed_in_a_child_tells_the_broker_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer *answer = pes_ask(fixture_request(fixture));
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        pes_answer_close(answer, PES_DID_RUN);
        pes_close(fixture->ctx);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    pes_answer_close(answer, PES_DID_REFUSE);
    fake_broker_await(&fixture->fake, WIRE_TYPE_DONE, 1);
    assert_int_equal(fixture->fake.last_did, PES_DID_REFUSE);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_DONE), 1);
}

/* A child that has the client's copies of everything, and nothing of the broker's. */
static pid_t start_bystander(struct fixture *fixture)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
            close(fixture->fake.connections[i].fd);
        }
        if (write(ready[1], "", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* epoll watches the socket, not the number: closing a number alone leaves a socket watched that a
 * child holds as well, and a loop that polls the context would spin. */
static void a_lost_connection_that_a_child_holds_wakes_nobody(void **state)
{
    struct fixture *fixture = *state;
    struct pollfd polled = {.fd = pes_fd(fixture->ctx), .events = POLLIN};
    int n_lost, n_after;
    pid_t pid;

    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    pid = start_bystander(fixture);
    fake_broker_stop(&fixture->fake);
    n_lost = poll(&polled, 1, 1000);
    pes_process(fixture->ctx);
    n_after = poll(&polled, 1, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(n_lost, 1);
    assert_int_equal(n_after, 0);
}

/* ---- strangers */

static void listen_as(const char *path, uid_t uid, int ready_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || setuid(uid) < 0 ||
        listen(fd, 8) < 0 || write(ready_fd, "", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

static pid_t start_stranger(struct fixture *fixture)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        listen_as(fixture->fake.socket, 1234, ready[1]);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void stop_stranger(struct fixture *fixture, pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(fixture->fake.socket);
}

static void a_stranger_s_socket_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct pes_answer_info info;
    pid_t pid;

    if (geteuid() != 0) {
        skip_because("only root can become another user");
    }
    pid = start_stranger(fixture);
    info = fixture_ask(fixture_request(fixture));
    assert_int_equal(pes_connect(), -PES_E_PERMISSION);
    stop_stranger(fixture, pid);
    assert_int_equal(info.error, -PES_E_PERMISSION);
    assert_int_equal(info.action, PES_ASK);
}

static void a_stranger_that_the_policy_names_is_believed(void **state)
{
    struct fixture *fixture = *state;
    int fd, policy = open(fixture->fake.policy, O_WRONLY | O_CLOEXEC);
    pid_t pid;

    if (geteuid() != 0) {
        close(policy);
        skip_because("only root can become another user");
    }
    assert_int_equal(write(policy, "broker-uid = 1234\n", 18), 18);
    close(policy);
    pid = start_stranger(fixture);
    fd = pes_connect();
    stop_stranger(fixture, pid);
    assert_true(fd >= 0);
    close(fd);
}

/* ---- a connection that was made before */

static void a_context_on_a_given_connection_asks_there(void **state)
{
    struct fixture *fixture = *state;
    int fd = pes_connect();

    assert_true(fd >= 0);
    pes_close(fixture->ctx);
    fixture->ctx = pes_open_fd(fd, "sandboxed", "1", PES_CAN_ASK | PES_CAN_STOP);
    assert_non_null(fixture->ctx);
    fake_broker_await(&fixture->fake, WIRE_TYPE_HELLO, 1); /* at once: brokers do not wait long */
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, 0);
    /* It never connects again. */
    fake_broker_stop(&fixture->fake);
    fake_broker_start(&fixture->fake);
    assert_int_equal(fixture_ask(fixture_request(fixture)).error, -PES_E_BROKER_LOST);
    assert_int_equal(fake_broker_seen(&fixture->fake, WIRE_TYPE_HELLO), 1);
}

/* A user that cannot write to the socket's folder, who connects and then goes into a user namespace
 * where nobody is known. */
static int ask_from_user_namespace(void)
{
    struct pes_request *request;
    struct pes_ctx *ctx;
    int fd, error;

    if (setgid(1234) < 0 || setuid(1234) < 0) {
        return 1;
    }
    fd = pes_connect();
    if (unshare(CLONE_NEWUSER) < 0) {
        return EXIT_DENIED;
    }
    ctx = pes_open_fd(fd, "unit test", "1.0", PES_CAN_STOP);
    request = pes_request_new(ctx, PES_KIND_GENERIC);
    pes_request_bytes(request, "hello", 5);
    error = fixture_ask(request).error;
    pes_close(ctx);
    return error == 0 ? 0 : 2;
}

static void a_given_connection_is_believed_in_a_user_namespace_as_one_s_own_is(void **state)
{
    struct fixture *fixture = *state;
    int status;
    pid_t pid;

    if (geteuid() != 0) {
        skip_because("only root can become another user");
    }
    assert_int_equal(chmod(fixture->fake.socket, 0666), 0);
    pid = fork();
    if (pid == 0) {
        _exit(ask_from_user_namespace());
    }
    status = status_of(pid);
    if (status == EXIT_DENIED) {
        skip_because("user namespaces are denied here");
    }
    assert_int_equal(status, 0);
}

static void without_a_broker_there_is_no_connection(void **state)
{
    assert_int_equal(pes_connect(), -PES_E_NO_BROKER);
}

static void what_is_no_connection_gives_answers_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    int fds[] = {-1, open("/dev/null", O_RDONLY | O_CLOEXEC)};

    for (size_t i = 0; i < 2; i++) {
        pes_close(fixture->ctx);
        fixture->ctx = pes_open_fd(fds[i], "x", "1", PES_CAN_STOP);
        assert_non_null(fixture->ctx);
        assert_true(fixture_ask(fixture_request(fixture)).error < 0);
    }
    assert_int_equal(fcntl(fds[1], F_GETFD), -1); /* it was the context's */
}

static void hanging_up_on_a_full_socket_loses_no_question(void **state)
{
    struct fixture *fixture = *state;
    struct pes_request *requests[600];
    static uint8_t bytes[30000];

    /* More than the socket holds: what does not fit waits, and is sent when there is room. */
    fixture->fake.max_in_flight = 1000;
    fake_broker_start(&fixture->fake);
    for (size_t i = 0; i < 600; i++) {
        requests[i] = pes_request_new(fixture->ctx, PES_KIND_GENERIC);
        assert_int_equal(pes_request_bytes(requests[i], bytes, sizeof(bytes)), 0);
        pes_request_timeout_ms(requests[i], 60000);
        pes_start(requests[i]);
    }
    for (size_t i = 0; i < 600; i++) {
        struct pes_answer *answer = fixture_await(fixture, requests[i]);

        assert_int_equal(fixture_info(answer).error, 0);
        pes_answer_close(answer, PES_DID_RUN);
        pes_request_free(requests[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_broker_that_was_restarted_is_connected_to_anew),
        FIXTURE_TEST_DOWN(a_broker_that_comes_up_later_is_found),
        FIXTURE_TEST_DOWN(a_place_that_cannot_be_is_down_and_says_why),
        FIXTURE_TEST_DOWN(a_policy_that_is_lost_makes_nothing_milder),
        FIXTURE_TEST_DOWN(a_question_lost_once_is_asked_again),
        FIXTURE_TEST_DOWN(a_question_lost_twice_is_answered_by_the_policy),
        FIXTURE_TEST_DOWN(questions_asked_again_keep_their_order_and_their_large_content),
        cmocka_unit_test(a_refused_connection_says_why_and_is_not_tried_again),
        FIXTURE_TEST_DOWN(a_connection_refused_before_or_after_hello_hears_why),
        FIXTURE_TEST_DOWN(a_broker_that_hangs_up_on_everybody_is_given_up),
        FIXTURE_TEST_DOWN(after_goaway_open_questions_finish_and_new_ones_go_elsewhere),
        FIXTURE_TEST_DOWN(a_broker_that_always_goes_away_is_given_up),
        FIXTURE_TEST_DOWN(after_fork_both_go_on),
        FIXTURE_TEST_DOWN(a_child_with_its_parent_s_process_id_is_a_child_all_the_same),
        FIXTURE_TEST(content_put_in_before_fork_is_asked_about_in_the_child),
        FIXTURE_TEST(an_answer_closed_in_a_child_tells_the_broker_nothing),
        FIXTURE_TEST(a_lost_connection_that_a_child_holds_wakes_nobody),
        FIXTURE_TEST_DOWN(a_stranger_s_socket_is_not_believed),
        FIXTURE_TEST_DOWN(a_stranger_that_the_policy_names_is_believed),
        FIXTURE_TEST(a_context_on_a_given_connection_asks_there),
        FIXTURE_TEST(a_given_connection_is_believed_in_a_user_namespace_as_one_s_own_is),
        FIXTURE_TEST_DOWN(without_a_broker_there_is_no_connection),
        FIXTURE_TEST_DOWN(what_is_no_connection_gives_answers_all_the_same),
        FIXTURE_TEST_DOWN(hanging_up_on_a_full_socket_loses_no_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A relay copies messages both ways, and a client's descriptors end in it. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "receiver/relay.h"
#include "sys/packet.h"
#include "testing.h"

struct world {
    int client; /* the far ends: what a client and the broker hold */
    int broker;
    pid_t relay;
};

static int set_up(void **state)
{
    static struct world world;
    int client[2];
    int broker[2];

    assert_int_equal(packet_pair(client), 0);
    assert_int_equal(packet_pair(broker), 0);
    world = (struct world){.client = client[0], .broker = broker[0]};
    world.relay = fork();
    assert_true(world.relay >= 0);
    if (world.relay == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        close(client[0]);
        close(broker[0]);
        _exit(relay_run(client[1], broker[1]) < 0 ? 1 : 0);
    }
    close(client[1]);
    close(broker[1]);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    closep(&world->client);
    closep(&world->broker);
    if (world->relay > 0) {
        (void)waitpid(world->relay, NULL, 0);
    }
    return 0;
}

static void await(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    assert_int_equal(poll(&poll_fd, 1, 10000), 1);
}

static void send_whole(int socket, const void *bytes, size_t n_bytes, int fd)
{
    int r = packet_send(socket, bytes, n_bytes, fd);

    while (r == -EAGAIN) {
        await(socket, POLLOUT);
        r = packet_send(socket, bytes, n_bytes, fd);
    }
    assert_int_equal(r, 0);
}

static ssize_t receive(int socket, void *buffer, size_t n_buffer, int *ret_fd)
{
    await(socket, POLLIN);
    return packet_receive_fd(socket, buffer, n_buffer, ret_fd);
}

static void messages_go_both_ways_in_order(void **state)
{
    struct world *world = *state;
    uint32_t number;
    int fd;

    for (uint32_t i = 0; i < 100; i++) {
        send_whole(world->client, &i, sizeof(i), -1);
        send_whole(world->broker, &i, sizeof(i), -1);
    }
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(receive(world->broker, &number, sizeof(number), &fd), 4);
        assert_int_equal(number, i);
        assert_int_equal(receive(world->client, &number, sizeof(number), &fd), 4);
        assert_int_equal(number, i);
    }
}

static void a_message_of_the_greatest_length_stays_whole(void **state)
{
    struct world *world = *state;
    static char sent[65536];
    static char got[65536 + 2];
    int fd;

    memset(sent, 'a', sizeof(sent));
    sent[sizeof(sent) - 1] = 'z';
    send_whole(world->client, sent, sizeof(sent), -1);
    assert_int_equal(receive(world->broker, got, sizeof(got), &fd), sizeof(sent));
    assert_memory_equal(got, sent, sizeof(sent));
}

static void one_that_is_too_long_arrives_as_too_long(void **state)
{
    struct world *world = *state;
    static char sent[70000];
    static char got[65536];
    int fd;

    send_whole(world->client, sent, sizeof(sent), -1);
    assert_int_equal(receive(world->broker, got, sizeof(got), &fd), -EMSGSIZE);
}

static void a_clients_descriptor_stays_behind(void **state)
{
    struct world *world = *state;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char got[8];
    int fd = -2;

    send_whole(world->client, "with", 4, file);
    assert_int_equal(receive(world->broker, got, sizeof(got), &fd), 4);
    assert_int_equal(fd, -1);
    close(file);
}

static void the_brokers_descriptor_arrives(void **state)
{
    struct world *world = *state;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char got[8];
    int fd = -1;

    send_whole(world->broker, "with", 4, file);
    assert_int_equal(receive(world->client, got, sizeof(got), &fd), 4);
    assert_true(fd >= 0);
    close(fd);
    close(file);
}

/* The processor time of the relay. */
static unsigned long long cpu_ticks(pid_t pid)
{
    unsigned long long user = 0;
    unsigned long long kernel = 0;
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file,
                            "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                            &user, &kernel),
                     2);
    fclose(file);
    return user + kernel;
}

static size_t n_relay_fds(const struct world *world)
{
    char path[64];
    size_t n = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", world->relay);
    folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder)) {
        n++;
    }
    closedir(folder);
    return n;
}

static void one_descriptor_at_a_time_waits_for_the_client(void **state)
{
    struct world *world = *state;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    unsigned long long ticks;
    size_t n_before;
    uint32_t number;
    int fd;

    send_whole(world->broker, "begin", 5, -1);
    await(world->client, POLLIN);
    assert_int_equal(packet_receive(world->client, &number, sizeof(number)), -EMSGSIZE);
    n_before = n_relay_fds(world);
    for (uint32_t i = 0; i < 3; i++) {
        send_whole(world->broker, &i, sizeof(i), file);
    }
    for (int i = 0; i < 1000 && n_relay_fds(world) == n_before; i++) {
        assert_int_equal(poll(NULL, 0, 5), 0);
    }
    /* It stays with the second, quietly. */
    ticks = cpu_ticks(world->relay);
    assert_int_equal(poll(NULL, 0, 300), 0);
    assert_int_equal(n_relay_fds(world), n_before + 1);
    assert_true(cpu_ticks(world->relay) - ticks < 10);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(receive(world->client, &number, sizeof(number), &fd), 4);
        assert_int_equal(number, i);
        close(fd);
    }
    close(file);
}

static void what_was_said_before_closing_arrives(void **state)
{
    struct world *world = *state;
    char got[8];
    int fd;

    for (int i = 0; i < 5; i++) {
        send_whole(world->client, "done", 4, -1);
    }
    close(TAKE_FD(world->client));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(receive(world->broker, got, sizeof(got), &fd), 4);
    }
    assert_int_equal(receive(world->broker, got, sizeof(got), &fd), 0);
}

static void what_the_broker_said_before_closing_arrives(void **state)
{
    struct world *world = *state;
    char got[8];
    int fd;

    send_whole(world->client, "ask", 3, -1);
    await(world->broker, POLLIN); /* and it is never read */
    for (int i = 0; i < 5; i++) {
        send_whole(world->broker, "done", 4, -1);
    }
    close(TAKE_FD(world->broker));
    (void)!packet_send(world->client, "more", 4, -1); /* unless the relay has ended by now */
    for (int i = 0; i < 5; i++) {
        ssize_t n = receive(world->client, got, sizeof(got), &fd);

        if (n == -ECONNRESET) { /* the relay, too, left something unread */
            n = receive(world->client, got, sizeof(got), &fd);
        }
        assert_int_equal(n, 4);
    }
    assert_int_equal(receive(world->client, got, sizeof(got), &fd), 0);
}

static void either_end_ends_it(void **state)
{
    struct world *world = *state;
    int status;
    char got[8];
    int fd;

    close(TAKE_FD(world->broker));
    assert_int_equal(receive(world->client, got, sizeof(got), &fd), 0);
    assert_int_equal(waitpid(world->relay, &status, 0), world->relay);
    world->relay = 0;
    assert_int_equal(status, 0);
}

static void a_side_that_does_not_read_stops_the_other(void **state)
{
    struct world *world = *state;
    static char bytes[32768];
    size_t n_sent = 0;
    unsigned long long before;
    struct pollfd quiet = {.fd = world->client, .events = POLLOUT};

    for (;;) {
        int r = packet_send(world->client, bytes, sizeof(bytes), -1);

        if (r == -EAGAIN && poll(&quiet, 1, 200) == 0) {
            break; /* nothing moves any more */
        }
        n_sent += r == 0;
        assert_true(n_sent < 1000);
    }
    /* And it waits: also when the client is gone meanwhile, it does not turn in circles. */
    close(TAKE_FD(world->client));
    before = cpu_ticks(world->relay);
    assert_int_equal(poll(NULL, 0, 300), 0);
    assert_true(cpu_ticks(world->relay) - before < 10);
    for (size_t i = 0; i < n_sent; i++) {
        int fd;

        assert_int_equal(receive(world->broker, bytes, sizeof(bytes), &fd), sizeof(bytes));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(messages_go_both_ways_in_order),
        CASE(a_message_of_the_greatest_length_stays_whole),
        CASE(one_that_is_too_long_arrives_as_too_long),
        CASE(a_clients_descriptor_stays_behind),
        CASE(the_brokers_descriptor_arrives),
        CASE(one_descriptor_at_a_time_waits_for_the_client),
        CASE(what_was_said_before_closing_arrives),
        CASE(what_the_broker_said_before_closing_arrives),
        CASE(either_end_ends_it),
        CASE(a_side_that_does_not_read_stops_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What launcher and broker say to each other arrives whole and in order, or the channel ends. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/broker_link.h"
#include "sys/packet.h"
#include "testing.h"
#include "wire/codec.h"

struct world {
    sd_event *event;
    struct broker_link *link;
    int broker; /* its end */
    unsigned n_ready;
    char retired[65];
    uint64_t retired_generation;
    char broken[128];
};

static void on_ready(void *userdata, const struct wire_ready *message)
{
    struct world *world = userdata;

    world->n_ready = message->n_ready;
}

static void on_retire(void *userdata, const char *name, uint64_t generation)
{
    struct world *world = userdata;

    strcpy(world->retired, name);
    world->retired_generation = generation;
}

static void on_broken(void *userdata, const char *why)
{
    struct world *world = userdata;

    assert_string_equal(world->broken, "");
    strncpy(world->broken, why, sizeof(world->broken) - 1);
}

static const struct broker_link_handlers handlers = {on_ready, on_retire, on_broken};

static int set_up(void **state)
{
    static struct world world;
    int pair[2];

    world = (struct world){.broker = -1};
    assert_int_equal(packet_pair(pair), 0);
    assert_true(sd_event_new(&world.event) >= 0);
    assert_int_equal(broker_link_new(&world.link, world.event, pair[0], &handlers, &world), 0);
    world.broker = pair[1];
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    broker_link_free(world->link);
    sd_event_unref(world->event);
    closep(&world->broker);
    return 0;
}

/* Lets the loop do what is due. */
static void turn(struct world *world)
{
    while (sd_event_run(world->event, 0) > 0) {
    }
}

static void say(struct world *world, enum wire_type type, const void *message)
{
    uint8_t bytes[1024];
    size_t n_bytes;

    assert_int_equal(wire_encode(type, message, bytes, sizeof(bytes), &n_bytes), 0);
    assert_int_equal(packet_send(world->broker, bytes, n_bytes, -1), 0);
}

static const struct wire_frame *hear(struct world *world, int *ret_fd)
{
    static uint8_t bytes[WIRE_MESSAGE_BYTES_MAX];
    static struct wire_frame frame;
    struct wire_fault fault;
    int fd = -1;
    ssize_t n = packet_receive_fd(world->broker, bytes, sizeof(bytes), &fd);

    assert_true(n > 0);
    assert_int_equal(wire_decode(&frame, bytes, (size_t)n, &fault), 0);
    if (ret_fd) {
        *ret_fd = fd;
    } else {
        assert_int_equal(fd, -1);
    }
    return &frame;
}

static void ready_and_retire_reach_their_handlers(void **state)
{
    struct world *world = *state;

    say(world, WIRE_TYPE_READY, &(struct wire_ready){.n_ready = 3});
    say(world, WIRE_TYPE_RETIRE,
        &(struct wire_retire){.name = wire_text("yara"), .generation = 1ull << 40});
    turn(world);
    assert_int_equal(world->n_ready, 3);
    assert_string_equal(world->retired, "yara");
    assert_true(world->retired_generation == 1ull << 40);
    assert_string_equal(world->broken, "");
}

static void a_message_that_is_not_the_brokers_breaks_the_channel(void **state)
{
    struct world *world = *state;

    say(world, WIRE_TYPE_DRAIN, &(struct wire_drain){.grace_ms = 1});
    say(world, WIRE_TYPE_READY, &(struct wire_ready){.n_ready = 3});
    turn(world);
    assert_string_equal(world->broken, "it sent a message that is not its to send");
    assert_int_equal(world->n_ready, 0);
}

static void noise_breaks_the_channel(void **state)
{
    struct world *world = *state;

    assert_int_equal(packet_send(world->broker, "\xff\xff\xff", 3, -1), 0);
    turn(world);
    assert_string_equal(world->broken, "it sent something that is no message");
}

static void a_message_that_is_too_long_breaks_the_channel(void **state)
{
    struct world *world = *state;
    char bytes[2000] = {0};

    assert_int_equal(packet_send(world->broker, bytes, sizeof(bytes), -1), 0);
    turn(world);
    assert_string_equal(world->broken, "its message is too long");
}

static void a_broker_that_is_gone_is_left_to_its_exit(void **state)
{
    struct world *world = *state;

    close(TAKE_FD(world->broker));
    turn(world);
    broker_link_drain(world->link, 1);
    turn(world);
    assert_string_equal(world->broken, "");
}

static void an_instance_brings_its_channel(void **state)
{
    struct world *world = *state;
    const struct wire_frame *frame;
    int fd = -1;

    broker_link_instance(world->link, "eicar", 7, false, true,
                         open("/dev/null", O_RDONLY | O_CLOEXEC));
    frame = hear(world, &fd);
    assert_int_equal(frame->type, WIRE_TYPE_INSTANCE);
    assert_int_equal(frame->instance.generation, 7);
    assert_int_equal(frame->instance.is_restored, 0);
    assert_int_equal(frame->instance.is_accepted, 1);
    assert_true(fd >= 0);
    close(fd);
}

static void a_reason_that_is_too_long_is_cut_between_characters(void **state)
{
    struct world *world = *state;
    const struct wire_frame *frame;
    char reason[1001];

    for (size_t i = 0; i < 1000; i += 2) {
        memcpy(reason + i, "\xc3\xa9", 2);
    }
    reason[1000] = '\0';
    broker_link_instance_lost(world->link, "eicar", 7, reason + 2, 100);
    frame = hear(world, NULL);
    assert_int_equal(frame->instance_lost.reason.size, 512);
    memmove(reason + 1, reason, 600);
    reason[0] = 'x';
    broker_link_config_note(world->link, reason);
    assert_int_equal(hear(world, NULL)->config_note.error.size, 511);
}

static void what_the_socket_does_not_take_waits_in_order(void **state)
{
    struct world *world = *state;
    static struct wire_configure configure;
    uint64_t n_sent = 0;
    uint64_t n_heard = 0;

    configure.tier = wire_text("some text that makes it longer than nothing");
    for (; n_sent < 200; n_sent++) {
        configure.generation = n_sent + 1;
        broker_link_configure(world->link, &configure);
    }
    broker_link_drain(world->link, 5);
    for (;;) {
        const struct wire_frame *frame = hear(world, NULL);

        turn(world);
        if (frame->type == WIRE_TYPE_DRAIN) {
            break;
        }
        assert_int_equal(frame->configure.generation, ++n_heard);
    }
    assert_int_equal(n_heard, n_sent);
    assert_string_equal(world->broken, "");
}

static void a_broker_that_never_reads_breaks_the_channel_in_bounds(void **state)
{
    struct world *world = *state;
    int small = 4096;

    assert_int_equal(setsockopt(world->broker, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    for (int i = 0; i < 5000 && world->broken[0] == '\0'; i++) {
        broker_link_config_note(world->link, "something to read");
        turn(world);
    }
    assert_string_equal(world->broken, "it does not read what it is told");
}

static void while_there_are_two_both_are_told(void **state)
{
    struct world *world = *state;
    struct world other = {.broker = -1};
    struct broker_link *beside;
    int pair[2];
    int fd = -1;

    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(broker_link_new(&beside, world->event, pair[0], &handlers, &other), 0);
    other.broker = pair[1];
    broker_link_set_beside(world->link, beside);
    assert_ptr_equal(broker_link_beside(world->link), beside);
    broker_link_instance(world->link, "eicar", 7, false, false,
                         open("/dev/null", O_RDONLY | O_CLOEXEC));
    broker_link_instance_lost(world->link, "eicar", 7, "died", 1);
    broker_link_drain(world->link, 1);
    assert_int_equal(hear(&other, NULL)->type, WIRE_TYPE_INSTANCE_LOST);
    assert_int_equal(packet_receive(other.broker, &fd, sizeof(fd)), -EAGAIN);
    assert_int_equal(hear(world, &fd)->type, WIRE_TYPE_INSTANCE);
    close(fd);
    assert_int_equal(hear(world, NULL)->type, WIRE_TYPE_INSTANCE_LOST);
    assert_int_equal(hear(world, NULL)->type, WIRE_TYPE_DRAIN);
    /* One that is freed is not told any more, and whoever it was beside knows. */
    broker_link_free(beside);
    assert_null(broker_link_beside(world->link));
    broker_link_config_note(world->link, "still here");
    assert_int_equal(hear(world, NULL)->type, WIRE_TYPE_CONFIG_NOTE);
    close(other.broker);
}

static void without_a_channel_nothing_happens(void **state)
{
    broker_link_configure(NULL, &(struct wire_configure){0});
    broker_link_instance(NULL, "a", 1, false, false, open("/dev/null", O_RDONLY | O_CLOEXEC));
    broker_link_instance_lost(NULL, "a", 1, "b", 0);
    broker_link_config_note(NULL, "a");
    broker_link_drain(NULL, 1);
    broker_link_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(ready_and_retire_reach_their_handlers),
        CASE(a_message_that_is_not_the_brokers_breaks_the_channel),
        CASE(noise_breaks_the_channel),
        CASE(a_message_that_is_too_long_breaks_the_channel),
        CASE(a_broker_that_is_gone_is_left_to_its_exit),
        CASE(an_instance_brings_its_channel),
        CASE(a_reason_that_is_too_long_is_cut_between_characters),
        CASE(what_the_socket_does_not_take_waits_in_order),
        CASE(a_broker_that_never_reads_breaks_the_channel_in_bounds),
        CASE(while_there_are_two_both_are_told),
        cmocka_unit_test(without_a_channel_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

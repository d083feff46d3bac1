/* Datagrams: whole or not there, and never a descriptor too many. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/packet.h"
#include "testing.h"

static size_t n_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

static void send_with_fds(size_t n_fds, int ret_pair[2])
{
    int fds[PACKET_ROW_MAX];

    assert_int_equal(packet_pair(ret_pair), 0);
    for (size_t i = 0; i < n_fds; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    assert_int_equal(packet_send_fds(ret_pair[0], "hello", 5, fds, n_fds), 0);
    for (size_t i = 0; i < n_fds; i++) {
        close(fds[i]);
    }
}

static void close_pair(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

static void exactly_as_many_descriptors_as_expected_arrive(void **state)
{
    int got[2] = {-1, -1};
    char buffer[16];
    int pair[2];

    send_with_fds(2, pair);
    assert_int_equal(packet_receive_fds(pair[1], buffer, sizeof(buffer), got, 2), 5);
    assert_memory_equal(buffer, "hello", 5);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
        close(got[i]);
    }
    close_pair(pair);
}

static void any_other_number_of_descriptors_is_refused_and_closed(void **state)
{
    for (size_t n_sent = 0; n_sent <= PACKET_FDS_MAX; n_sent++) {
        for (size_t n_wanted = 1; n_wanted <= PACKET_FDS_MAX; n_wanted++) {
            size_t n_before = n_open_fds();
            int got[PACKET_FDS_MAX] = {-2, -2, -2, -2};
            char buffer[16];
            int pair[2];

            if (n_sent == n_wanted) {
                continue;
            }
            send_with_fds(n_sent, pair);
            assert_int_equal(packet_receive_fds(pair[1], buffer, sizeof(buffer), got, n_wanted),
                             -EBADMSG);
            assert_int_equal(got[0], -2);
            close_pair(pair);
            assert_int_equal(n_open_fds(), n_before);
        }
    }
}

static void one_descriptor_is_optional_and_two_are_too_many(void **state)
{
    for (size_t n_sent = 0; n_sent <= PACKET_FDS_MAX; n_sent++) {
        size_t n_before = n_open_fds();
        char buffer[16];
        int pair[2];
        int fd = -2;
        ssize_t n;

        send_with_fds(n_sent, pair);
        n = packet_receive_fd(pair[1], buffer, sizeof(buffer), &fd);
        assert_int_equal(n, n_sent <= 1 ? 5 : -EBADMSG);
        assert_true(n_sent == 1 ? fd >= 0 : n_sent == 0 ? fd == -1 : fd == -2);
        if (fd >= 0) {
            close(fd);
        }
        close_pair(pair);
        assert_int_equal(n_open_fds(), n_before);
    }
}

static void a_row_of_any_length_arrives_in_order(void **state)
{
    const size_t lengths[] = {0, 1, 5, PACKET_ROW_MAX - 1, PACKET_ROW_MAX};
    size_t n_before = n_open_fds();

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        int got[PACKET_ROW_MAX];
        size_t n_got = 99;
        char buffer[16];
        int pair[2];

        send_with_fds(lengths[i], pair);
        assert_int_equal(packet_await_row(pair[1], buffer, sizeof(buffer), got, &n_got), 5);
        assert_int_equal(n_got, lengths[i]);
        for (size_t j = 0; j < n_got; j++) {
            assert_int_equal(fcntl(got[j], F_GETFD), FD_CLOEXEC);
            close(got[j]);
        }
        close_pair(pair);
        assert_int_equal(n_open_fds(), n_before);
    }
}

static void a_row_that_is_too_long_is_not_sent(void **state)
{
    int fds[PACKET_ROW_MAX + 1] = {0};
    int pair[2];

    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(packet_send_fds(pair[0], "hello", 5, fds, PACKET_ROW_MAX + 1), -EINVAL);
    close_pair(pair);
}

static void without_a_control_buffer_no_descriptor_arrives(void **state)
{
    size_t n_before;
    char buffer[16];
    int pair[2];

    send_with_fds(3, pair);
    n_before = n_open_fds();
    assert_int_equal(packet_receive(pair[1], buffer, sizeof(buffer)), 5);
    assert_int_equal(n_open_fds(), n_before);
    close_pair(pair);
}

static void a_datagram_longer_than_the_buffer_is_refused_with_its_descriptors(void **state)
{
    size_t n_before = n_open_fds();
    int got[2] = {-2, -2};
    char buffer[4];
    int pair[2];

    send_with_fds(2, pair);
    assert_int_equal(packet_receive_fds(pair[1], buffer, sizeof(buffer), got, 2), -EMSGSIZE);
    assert_int_equal(got[0], -2);
    close_pair(pair);
    send_with_fds(0, pair);
    assert_int_equal(packet_receive(pair[1], buffer, sizeof(buffer)), -EMSGSIZE);
    close_pair(pair);
    assert_int_equal(n_open_fds(), n_before);
}

static void head_and_body_arrive_as_one_datagram(void **state)
{
    char buffer[16];
    int pair[2];

    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(packet_send2(pair[0], "head", 4, "body", 4, -1), 0);
    assert_int_equal(packet_receive(pair[1], buffer, sizeof(buffer)), 8);
    assert_memory_equal(buffer, "headbody", 8);
    assert_int_equal(packet_receive(pair[1], buffer, sizeof(buffer)), -EAGAIN);
    close_pair(pair);
}

static void a_closed_peer_reads_as_zero_and_writes_as_a_broken_pipe(void **state)
{
    int got[1] = {-2};
    char buffer[16];
    int pair[2];

    assert_int_equal(packet_pair(pair), 0);
    close(pair[0]);
    assert_int_equal(packet_receive(pair[1], buffer, sizeof(buffer)), 0);
    assert_int_equal(packet_receive_fds(pair[1], buffer, sizeof(buffer), got, 1), 0);
    assert_int_equal(got[0], -1);
    assert_int_equal(packet_send(pair[1], "x", 1, -1), -EPIPE);
    close(pair[1]);
}

static void a_peer_that_does_not_read_is_told_from_one_that_is_gone(void **state)
{
    char big[4096] = {0};
    int pair[2];
    int r = 0;

    assert_int_equal(packet_pair(pair), 0);
    for (int i = 0; i < 10000 && r == 0; i++) {
        r = packet_send(pair[0], big, sizeof(big), -1);
    }
    assert_int_equal(r, -EAGAIN);
    close_pair(pair);
}

static void what_is_unread_is_never_told_too_small(void **state)
{
    static char bytes[60000];
    static const size_t sizes[] = {1, 3000, 60000, 1, 200};
    char got[2];
    int pair[2];

    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(packet_unread_most(pair[0]), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(packet_send(pair[0], bytes, sizes[i], i == 2 ? pair[1] : -1), 0);
        assert_true(packet_unread_most(pair[0]) > i);
    }
    assert_int_equal(packet_unread_most(pair[1]), 0);
    for (size_t i = 5; i > 0; i--) {
        assert_true(packet_unread_most(pair[0]) >= i);
        /* Looked at is not read. */
        assert_true(recv(pair[1], got, sizeof(got), MSG_PEEK) > 0);
        assert_true(packet_unread_most(pair[0]) >= i);
        assert_true(recv(pair[1], got, sizeof(got), 0) > 0);
    }
    assert_int_equal(packet_unread_most(pair[0]), 0);
    assert_int_equal(packet_send(pair[0], "x", 1, -1), 0);
    close_pair(pair);
}

static void too_many_descriptors_on_their_way_can_be_waited_for(void **state)
{
    assert_true(packet_must_wait(-ETOOMANYREFS));
    assert_true(packet_must_wait(-EAGAIN));
    assert_false(packet_must_wait(-EPIPE));
    assert_false(packet_must_wait(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_as_many_descriptors_as_expected_arrive),
        cmocka_unit_test(any_other_number_of_descriptors_is_refused_and_closed),
        cmocka_unit_test(one_descriptor_is_optional_and_two_are_too_many),
        cmocka_unit_test(a_row_of_any_length_arrives_in_order),
        cmocka_unit_test(a_row_that_is_too_long_is_not_sent),
        cmocka_unit_test(without_a_control_buffer_no_descriptor_arrives),
        cmocka_unit_test(a_datagram_longer_than_the_buffer_is_refused_with_its_descriptors),
        cmocka_unit_test(head_and_body_arrive_as_one_datagram),
        cmocka_unit_test(a_closed_peer_reads_as_zero_and_writes_as_a_broken_pipe),
        cmocka_unit_test(a_peer_that_does_not_read_is_told_from_one_that_is_gone),
        cmocka_unit_test(what_is_unread_is_never_told_too_small),
        cmocka_unit_test(too_many_descriptors_on_their_way_can_be_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Whom the client believes to be a broker. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/peer.h"
#include "sys/packet.h"
#include "testing.h"

#define OVERFLOW 65534

static void the_table_of_peers(void **state)
{
    static const struct {
        struct peer peer;
        bool is_trusted, is_trusted_if_named;
    } cases[] = {
        /* root, oneself, a stranger */
        {{.uid = 0, .own_uid = 1000, .overflow_uid = OVERFLOW, .is_identity_map = true},
         true,
         true},
        {{.uid = 1000, .own_uid = 1000, .overflow_uid = OVERFLOW, .is_identity_map = true},
         true,
         true},
        {{.uid = 77, .own_uid = 1000, .overflow_uid = OVERFLOW, .is_identity_map = true},
         false,
         true},
        {{.uid = 77, .own_uid = 0, .overflow_uid = OVERFLOW, .is_identity_map = true}, false, true},
        /* real nobody */
        {{.uid = OVERFLOW, .own_uid = 1000, .overflow_uid = OVERFLOW, .is_identity_map = true},
         false,
         true},
        {{.uid = OVERFLOW, .own_uid = OVERFLOW, .overflow_uid = OVERFLOW, .is_identity_map = true},
         true,
         true},
        /* a stranger in a user namespace, whose socket stands where only strangers write */
        {{.uid = OVERFLOW,
          .own_uid = 1000,
          .overflow_uid = OVERFLOW,
          .socket_owner = OVERFLOW,
          .is_folder_ours = false},
         true,
         true},
        /* ... in a folder that we could have written to */
        {{.uid = OVERFLOW,
          .own_uid = 1000,
          .overflow_uid = OVERFLOW,
          .socket_owner = OVERFLOW,
          .is_folder_ours = true},
         false,
         true},
        /* ... with a socket file of somebody in here */
        {{.uid = OVERFLOW,
          .own_uid = 1000,
          .overflow_uid = OVERFLOW,
          .socket_owner = 1000,
          .is_folder_ours = false},
         false,
         true},
        /* we are unmapped ourselves: looking alike proves nothing */
        {{.uid = OVERFLOW,
          .own_uid = OVERFLOW,
          .overflow_uid = OVERFLOW,
          .socket_owner = OVERFLOW,
          .is_folder_ours = true},
         false,
         true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client_policy policy = {0};

        assert_int_equal(peer_is_trusted(&cases[i].peer, &policy), cases[i].is_trusted);
        policy.has_broker_uid = true;
        policy.broker_uid = cases[i].peer.uid;
        assert_int_equal(peer_is_trusted(&cases[i].peer, &policy), cases[i].is_trusted_if_named);
    }
}

static void the_facts_of_a_socket_pair_are_our_own(void **state)
{
    struct client_policy policy = {0};
    struct peer peer;
    int pair[2];

    assert_int_equal(packet_pair(pair), 0);
    assert_int_equal(peer_read(&peer, pair[0], NULL), 0);
    assert_int_equal(peer.uid, geteuid());
    assert_int_equal(peer.own_uid, geteuid());
    assert_true(peer_is_trusted(&peer, &policy));
    close(pair[0]);
    close(pair[1]);
}

static void what_is_no_socket_has_no_peer(void **state)
{
    struct peer peer;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(peer_read(&peer, fd, NULL), -ENOTSOCK);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_peers),
        cmocka_unit_test(the_facts_of_a_socket_pair_are_our_own),
        cmocka_unit_test(what_is_no_socket_has_no_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

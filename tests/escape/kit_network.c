/* V9: reaching anybody over a network or a socket of any kind. */
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kit_attempt.h"

ATTEMPT(tcp, socket(AF_INET, SOCK_STREAM, 0))
ATTEMPT(tcp6, socket(AF_INET6, SOCK_STREAM, 0))
ATTEMPT(udp, socket(AF_INET, SOCK_DGRAM, 0))
ATTEMPT(icmp, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP))
ATTEMPT(raw, socket(AF_INET, SOCK_RAW, IPPROTO_RAW))
ATTEMPT(packet, socket(AF_PACKET, SOCK_RAW, 0x0300))
ATTEMPT(netlink, socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE))
ATTEMPT(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
ATTEMPT(bluetooth, socket(AF_BLUETOOTH, SOCK_RAW, 0))
ATTEMPT(alg, socket(AF_ALG, SOCK_SEQPACKET, 0))
ATTEMPT(unix_stream, socket(AF_UNIX, SOCK_STREAM, 0))
ATTEMPT(unix_datagram, socket(AF_UNIX, SOCK_DGRAM, 0))
ATTEMPT(io_uring_socket, syscall(SYS_io_uring_setup, 8, NULL))
ATTEMPT(listening, listen(STDERR_FILENO, 1))
ATTEMPT(accepting, accept(STDERR_FILENO, NULL, NULL))
ATTEMPT(accepting4, accept4(STDERR_FILENO, NULL, NULL, SOCK_CLOEXEC))

/* Descriptor 3 and up are what a process of ours has been given: channels among them. */
static long connect_all(const struct sockaddr *address, socklen_t n)
{
    for (int fd = 3; fd < 32; fd++) {
        if (connect(fd, address, n) == 0) {
            return 0;
        }
    }
    return -1;
}

static long connect_path(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/dbus/bus"};

    return connect_all((const struct sockaddr *)&address, sizeof(address));
}

static long connect_abstract(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0pes-escape"};

    return connect_all((const struct sockaddr *)&address, sizeof(address));
}

static long bind_abstract(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0pes-escape"};

    return bind(STDERR_FILENO, (const struct sockaddr *)&address, sizeof(address));
}

static const struct kit_attempt rows[] = {
    {"V9-tcp", tcp, 0},
    {"V9-tcp6", tcp6, 0},
    {"V9-udp", udp, 0},
    {"V9-icmp", icmp, 0},
    {"V9-raw", raw, 0},
    {"V9-packet", packet, 0},
    {"V9-netlink", netlink, 0},
    {"V9-vsock", vsock, 0},
    {"V9-bluetooth", bluetooth, 0},
    {"V9-alg", alg, 0},
    {"V9-unix-stream", unix_stream, 0},
    {"V9-unix-datagram", unix_datagram, 0},
    {"V9-io-uring", io_uring_socket, 0},
    {"V9-connect-path", connect_path, 0},
    {"V9-connect-abstract", connect_abstract, 0},
    {"V9-bind-abstract", bind_abstract, 0},
    {"V9-listen", listening, 0},
    {"V9-accept", accepting, 0},
    {"V9-accept4", accepting4, KIT_BROKER | KIT_RECEIVER},
};
KIT_TABLE(kit_network, rows);

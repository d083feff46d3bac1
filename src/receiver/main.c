/*
 * pes-receiver: takes connections in the broker's place, where the kernel cannot keep clients'
 * descriptors out (before 6.16).
 *
 * Each connection gets a process that copies its messages and has nothing else; the broker gets
 * the other end of that and a pidfd of the client, so that it judges the client and not the relay.
 * Too many connections, in all or of one user, are closed at once: the client sees the service
 * hang up. This process never reads from a client, so none can hold it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ipc/receiver_channel.h"
#include "log/log.h"
#include "receiver/relay.h"
#include "receiver/relay_table.h"
#include "sandbox/sandbox.h"
#include "sys/clock.h"
#include "sys/packet.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* 6.5 */
#endif

#define EXIT_USAGE 64

/* Without a descriptor or a process left, accept() fails at once and for ever: wait a little. */
#define EXHAUSTED_WAIT_MS 100

/* How long relays may go on after the broker's end. */
#define FINISH_US 1000000ull

/* A line about refused connections at most this often: whoever floods us must not flood the log. */
#define REFUSED_LOG_US (10 * 1000000ull)

struct receiver {
    int broker;
    int clients; /* listening */
    int admins;  /* listening */
    struct relay_table table;
    uint64_t refused_logged_us;
    uint64_t n_refused; /* since then */
};

/* A child has ended: only interrupts the wait. */
static void on_child(int signo)
{
}

static void reap(struct receiver *receiver)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        relay_table_remove(&receiver->table, pid);
    }
}

/* Before 6.5 the pid could have been given away since it connected. Since then, any other error
 * means that whoever connected is gone, and its pid must not be asked for. */
static int peer_pidfd(int client, pid_t pid)
{
    socklen_t n = sizeof(int);
    int pidfd = -1;

    if (getsockopt(client, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) < 0 && errno == ENOPROTOOPT) {
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    }
    return pidfd;
}

__attribute__((noreturn)) static void relay_main(struct receiver *receiver, int client, int broker,
                                                 pid_t parent)
{
    sigset_t child;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) {
        _exit(0);
    }
    (void)signal(SIGCHLD, SIG_DFL);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_UNBLOCK, &child, NULL);
    close(receiver->broker);
    close(receiver->clients);
    close(receiver->admins);
    _exit(relay_run(client, broker) < 0 ? 1 : 0);
}

/* Starts the relay and tells the broker; the client's socket stays the caller's. */
static int hand_over(struct receiver *receiver, int client, const struct ucred *peer, bool is_admin)
{
    struct receiver_connection message = {
        .version = RECEIVER_CHANNEL_VERSION,
        .pid = (uint32_t)peer->pid,
        .uid = peer->uid,
        .gid = peer->gid,
        .is_admin = is_admin,
    };
    CLEANUP(closep) int pidfd = peer_pidfd(client, peer->pid);
    CLEANUP(closep) int broker_end = -1;
    CLEANUP(closep) int relay_end = -1;
    pid_t parent = getpid();
    int pair[2];
    pid_t pid;
    int r;

    if (pidfd < 0) {
        return -errno; /* it has gone again */
    }
    r = packet_pair(pair);
    if (r < 0) {
        return r;
    }
    broker_end = pair[0];
    relay_end = pair[1];
    pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        close(broker_end);
        close(pidfd);
        relay_main(receiver, client, relay_end, parent);
    }
    relay_table_add(&receiver->table, pid, peer->uid);
    /* If the broker doesn't take it both ends close here, and the relay ends by itself. */
    return packet_send_fds(receiver->broker, &message, sizeof(message),
                           (const int[2]){broker_end, pidfd}, 2);
}

static void log_refused(struct receiver *receiver, uid_t uid)
{
    uint64_t now_us = clock_now_us();

    receiver->n_refused++;
    if (receiver->refused_logged_us > 0 && now_us - receiver->refused_logged_us < REFUSED_LOG_US) {
        return;
    }
    log_event(LOG_WARNING, EV_CLIENT_REFUSED,
              "too many connections are open, now of uid %u: it is closed (%llu since the last "
              "line like this)",
              (unsigned)uid, (unsigned long long)receiver->n_refused);
    receiver->refused_logged_us = now_us;
    receiver->n_refused = 0;
}

/* Takes one connection. Returns 0, also when it was refused, or -errno when none could be taken. */
static int take_client(struct receiver *receiver, int listener)
{
    CLEANUP(closep) int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred peer;
    socklen_t n_peer = sizeof(peer);
    int r;

    if (client < 0) {
        return errno == ECONNABORTED || errno == EINTR || errno == EAGAIN ? 0 : -errno;
    }
    if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &n_peer) < 0) {
        return 0;
    }
    if (!relay_table_has_room(&receiver->table, peer.uid)) {
        log_refused(receiver, peer.uid);
        return 0;
    }
    r = hand_over(receiver, client, &peer, listener == receiver->admins);
    return r == -EPIPE ? r : 0;
}

/* The broker has ended. What it has said last is still passed on, to clients that read it soon. */
static void finish(struct receiver *receiver)
{
    uint64_t end_us = clock_now_us() + FINISH_US;
    sigset_t none;

    sigemptyset(&none);
    for (reap(receiver); receiver->table.n > 0 && clock_now_us() < end_us; reap(receiver)) {
        struct timespec wait = {.tv_nsec = EXHAUSTED_WAIT_MS * 1000000L};

        (void)ppoll(NULL, 0, &wait, &none); /* until a relay ends */
    }
}

/* Serves until the broker closes its end. When it closes half of it, it takes nobody any more, and
 * the relays of those who are there go on. */
static int serve(struct receiver *receiver)
{
    bool is_exhausted = false;
    bool is_draining = false;
    sigset_t none;

    sigemptyset(&none);
    for (;;) {
        struct timespec wait = {.tv_nsec = EXHAUSTED_WAIT_MS * 1000000L};
        struct pollfd fds[3] = {
            {.fd = receiver->broker, .events = is_draining ? 0 : POLLRDHUP},
            {.fd = is_exhausted || is_draining ? -1 : receiver->clients, .events = POLLIN},
            {.fd = is_exhausted || is_draining ? -1 : receiver->admins, .events = POLLIN},
        };
        int r = 0;

        if (ppoll(fds, 3, is_exhausted ? &wait : NULL, &none) < 0 && errno != EINTR) {
            return -errno;
        }
        reap(receiver);
        if (fds[0].revents & (POLLHUP | POLLERR)) {
            finish(receiver);
            return 0;
        }
        is_draining = is_draining || (fds[0].revents & POLLRDHUP);
        for (size_t i = 1; i < 3 && r == 0 && !is_draining; i++) {
            r = fds[i].revents & POLLIN ? take_client(receiver, fds[i].fd) : 0;
        }
        if (r == -EPIPE) {
            return 0;
        }
        is_exhausted = r < 0;
    }
}

static int confine(void)
{
    int r = sandbox_no_new_privs();

    if (r == 0) {
        r = sandbox_not_dumpable();
    }
    if (r == 0) {
        r = sandbox_die_with_parent();
    }
    if (r == 0) {
        r = sandbox_landlock_apply(NULL);
        /* A kernel without it is let pass: seccomp forbids every call that it would look at. */
        r = r == SANDBOX_E_ABSENT ? 0 : r;
    }
    if (r == 0) {
        r = sandbox_seccomp_apply(&seccomp_profile_receiver);
    }
    return r;
}

static int parse_fd(const char *text)
{
    char *end;
    long fd = strtol(text, &end, 10);

    return *text == '\0' || *end != '\0' || fd < 3 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0
               ? -1
               : (int)fd;
}

static int parse_arguments(struct receiver *receiver, int argc, char **argv)
{
    static const struct option options[] = {
        {"broker-fd", required_argument, NULL, 'b'},
        {"client-fd", required_argument, NULL, 'c'},
        {"admin-fd", required_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'b') {
            receiver->broker = parse_fd(optarg);
        } else if (option == 'c') {
            receiver->clients = parse_fd(optarg);
        } else if (option == 'a') {
            receiver->admins = parse_fd(optarg);
        } else {
            return -EINVAL;
        }
    }
    return receiver->broker < 0 || receiver->clients < 0 || receiver->admins < 0 || optind != argc
               ? -EINVAL
               : 0;
}

static int prepare(void)
{
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (sigaction(SIGCHLD, &action, NULL) < 0 || sigprocmask(SIG_BLOCK, &child, NULL) < 0) {
        return -errno;
    }
    return confine();
}

int main(int argc, char **argv)
{
    static struct receiver receiver = {.broker = -1, .clients = -1, .admins = -1};
    int r;

    log_init("pes-receiver");
    if (parse_arguments(&receiver, argc, argv) < 0) {
        log_event(LOG_ERR, EV_START, "pes-receiver is started by pesd, with its sockets");
        return EXIT_USAGE;
    }
    r = prepare();
    if (r != 0) {
        log_event(LOG_ERR, EV_SANDBOX, "pes-receiver cannot confine itself: %s",
                  r < 0 ? strerror(-r) : "the kernel lacks a mechanism");
        return 1;
    }
    r = serve(&receiver);
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "pes-receiver ends: %s", strerror(-r));
    }
    return r < 0 ? 1 : 0;
}

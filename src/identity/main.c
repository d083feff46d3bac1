/*
 * pes-identity: tells the broker what program is behind a connection.
 *
 * The broker may not look into /proc, and another user's program can only be looked up with
 * CAP_SYS_PTRACE. So this process has that, and does nothing else: a pidfd comes in, a record of
 * fixed size goes out. It is the broker's only helper that reads files. No Landlock here: a domain
 * keeps its members from looking at any process outside of it (ptrace access mode), which is the
 * whole job. Ends when the broker does.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/process_record.h"
#include "log/log.h"
#include "sandbox/sandbox.h"
#include "sys/packet.h"

#define EXIT_USAGE 64

static int await(int socket, short events)
{
    struct pollfd poll_fd = {.fd = socket, .events = events};

    while (poll(&poll_fd, 1, -1) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/* A broker that doesn't read its answers gets no more of them: one waits here. */
static int send_record(int socket, const struct identity_record *record)
{
    int r = packet_send(socket, record, sizeof(*record), -1);

    while (r == -EAGAIN || r == -ENOBUFS) {
        r = await(socket, POLLOUT);
        if (r == 0) {
            r = packet_send(socket, record, sizeof(*record), -1);
        }
    }
    return r;
}

static int answer(int socket, const struct identity_query *query, int pidfd, pid_t launcher)
{
    struct identity_record record = {
        .version = IDENTITY_CHANNEL_VERSION,
        .session = query->session,
    };

    if (query->version != IDENTITY_CHANNEL_VERSION) {
        record.error = EPROTONOSUPPORT;
    } else {
        process_record_read(&record, pidfd, (pid_t)query->pid, launcher);
    }
    return send_record(socket, &record);
}

/* Serves until the broker closes its end. */
static int serve(int socket, pid_t launcher)
{
    for (;;) {
        CLEANUP(closep) int pidfd = -1;
        struct identity_query query;
        ssize_t n = packet_receive_fd(socket, &query, sizeof(query), &pidfd);
        int r;

        if (n == 0 || n == -ECONNRESET) {
            return 0;
        }
        if (n == -EAGAIN) {
            r = await(socket, POLLIN);
        } else if (n == (ssize_t)sizeof(query)) {
            r = answer(socket, &query, pidfd, launcher);
        } else {
            r = n < 0 ? (int)n : -EPROTO;
        }
        if (r == -EPIPE || r == -ECONNRESET) {
            return 0;
        }
        if (r < 0) {
            return r;
        }
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
        r = sandbox_seccomp_apply(&seccomp_profile_identity);
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

/*
 * Our parent is pesd: as long as it lives we do, and all of ours descend from it. As the first
 * process of a container it adopts everybody's orphans, and that says nothing about them.
 */
static pid_t our_root(void)
{
    pid_t parent = getppid();

    return parent > 1 ? parent : 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"broker-fd", required_argument, NULL, 'b'},
        {NULL, 0, NULL, 0},
    };
    pid_t launcher = our_root();
    int socket = -1;
    int option;
    int r;

    log_init("pes-identity");
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        socket = option == 'b' ? parse_fd(optarg) : -1;
    }
    if (socket < 0 || optind != argc) {
        log_event(LOG_ERR, EV_START, "pes-identity is started by pesd, with its channel");
        return EXIT_USAGE;
    }
    r = confine();
    if (r != 0) {
        log_event(LOG_ERR, EV_SANDBOX, "pes-identity cannot confine itself: %s",
                  r < 0 ? strerror(-r) : "the kernel lacks a mechanism");
        return 1;
    }
    r = serve(socket, launcher);
    if (r < 0) {
        log_event(LOG_ERR, EV_INTERNAL, "pes-identity ends: %s", strerror(-r));
    }
    return r < 0 ? 1 : 0;
}

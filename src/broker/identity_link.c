/*
 * The channel to pes-identity, which knows what program is behind a connection.
 *
 * Only a few questions are on their way at once. All others wait in their connections, which their
 * users are charged for, and go with them: whoever connects and hangs up in a loop leaves nothing
 * in line before anybody else. Connections take turns. What a helper that died had taken is never
 * answered; that shows when a later one is, since it answers in order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "broker/shell.h"
#include "sys/packet.h"

/* The serial keeps an answer about one client from reaching the next on the same handle. */
static uint64_t token_of(const struct shell *shell, uint32_t handle)
{
    return (uint64_t)shell->connections[handle].serial << 32 | handle;
}

static void stay_unknown(struct shell *shell, uint32_t handle, int error)
{
    struct outcome *outcome = shell_outcome(shell, EVENT_IDENTITY);

    outcome->event.session = handle;
    outcome->identity = calloc(1, sizeof(*outcome->identity));
    if (!outcome->identity) {
        shell->actions.is_broken = true;
        return;
    }
    outcome->identity->error = -error;
}

void identity_link_forget(struct shell *shell, uint32_t handle)
{
    struct connection *connection = &shell->connections[handle];

    if (connection->pidfd >= 0) {
        close(connection->pidfd);
        connection->pidfd = -1;
        shell->identity.n_waiting--;
    }
}

static uint32_t next_waiting(struct shell *shell)
{
    uint32_t handle = shell->identity.last_handle;

    do {
        handle = handle + 1 < shell->n_connections ? handle + 1 : 1;
    } while (shell->connections[handle].pidfd < 0);
    return handle;
}

/* Asks about as many as may be under way. */
static void ask_next(struct shell *shell)
{
    struct identity_turns *turns = &shell->identity;

    while (turns->n_waiting > 0 && turns->n_asked < IDENTITY_ASKED_MAX) {
        uint32_t handle = next_waiting(shell);
        const struct identity_query query = {
            .version = IDENTITY_CHANNEL_VERSION,
            .pid = shell->connections[handle].pid,
            .session = token_of(shell, handle),
        };
        int r = packet_send(shell->identity_fd, &query, sizeof(query),
                            shell->connections[handle].pidfd);

        if (packet_must_wait(r)) {
            shell_retry(shell);
            return;
        }
        turns->last_handle = handle;
        identity_link_forget(shell, handle);
        if (r == 0) {
            turns->asked[turns->n_asked++] = query.session;
        } else {
            stay_unknown(shell, handle, r);
        }
    }
}

void identity_link_ask(struct shell *shell, uint32_t handle)
{
    if (shell->connections[handle].pidfd < 0) {
        stay_unknown(shell, handle, -ESRCH);
        return;
    }
    ask_next(shell);
}

void identity_link_retry(struct shell *shell)
{
    ask_next(shell);
    shell_feed_outcomes(shell);
}

/* Takes a question off the list, and those before it, which were lost. */
static void note_answered(struct identity_turns *turns, uint64_t token)
{
    for (size_t i = 0; i < turns->n_asked; i++) {
        if (turns->asked[i] == token) {
            turns->n_asked -= i + 1;
            memmove(turns->asked, turns->asked + i + 1, turns->n_asked * sizeof(turns->asked[0]));
            return;
        }
    }
}

void identity_link_read(struct shell *shell)
{
    struct identity_record record;
    struct event event = {.type = EVENT_IDENTITY, .identity = &record};
    ssize_t n = packet_receive(shell->identity_fd, &record, sizeof(record));
    uint32_t handle;

    if (n == -EAGAIN) {
        return;
    }
    if (n != sizeof(record) || record.version != IDENTITY_CHANNEL_VERSION) {
        epoll_ctl(shell->epoll_fd, EPOLL_CTL_DEL, shell->identity_fd, NULL);
        return;
    }
    note_answered(&shell->identity, record.session);
    identity_link_retry(shell);
    handle = (uint32_t)record.session;
    if (handle >= shell->n_connections || token_of(shell, handle) != record.session) {
        return; /* it has hung up */
    }
    record.exe_path[sizeof(record.exe_path) - 1] = '\0';
    record.cgroup[sizeof(record.cgroup) - 1] = '\0';
    record.lsm_label[sizeof(record.lsm_label) - 1] = '\0';
    event.session = handle;
    shell_feed(shell, &event);
}

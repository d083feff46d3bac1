/*
 * Init's side of its channel to the zygote (ipc/zygote_channel.h).
 *
 * Once a module is loaded, the zygote may be anybody. What it can do here is little: name a phase,
 * fail, describe itself once, and name the pid of a worker that was asked for, which must be a
 * child of ours that is nobody else. Anything else ends the provider. Descriptors are never
 * received.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/signal_name.h"
#include "init/init.h"
#include "sys/clock.h"
#include "sys/packet.h"

/* A fork takes milliseconds even with gigabytes of definitions. */
#define FORK_TIME_US 10000000u

struct message {
    struct zygote_event head;
    char payload[INIT_PAYLOAD_BYTES_MAX];
};

int zygote_link_fork(struct init *init, uint32_t slot, uint64_t generation, int channel)
{
    struct zygote_command command = {
        .version = ZYGOTE_CHANNEL_VERSION,
        .type = ZYGOTE_FORK,
        .slot = slot,
        .generation = generation,
    };
    int r = packet_send(init->zygote.channel, &command, sizeof(command), channel);

    if (r < 0) {
        return r;
    }
    init->slots.slots[slot] = (struct slot){
        .state = SLOT_FORKING,
        .generation = generation,
        .pid = -1,
        .fork_by_us = clock_now_us() + FORK_TIME_US,
    };
    return 0;
}

/* Whether `pid` is a child of ours that is nothing yet; it may have died already. */
static bool is_new_child(const struct init *init, pid_t pid)
{
    siginfo_t info;

    if (pid <= 0 || pid == init->zygote.pid || pid == init->trial ||
        slot_table_by_pid((struct slot_table *)&init->slots, pid)) {
        return false;
    }
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void take_forked(struct init *init, const struct zygote_event *event)
{
    struct slot *slot = slot_table_get(&init->slots, event->slot);
    struct init_event spawned = {
        .type = INIT_SPAWNED, .slot = event->slot, .generation = event->generation};

    if (!slot || slot->state != SLOT_FORKING || slot->generation != event->generation) {
        init_fail(init, "the zygote spoke of a worker that nobody asked for");
        return;
    }
    if (event->value < 0) {
        bool is_unannounced = slot->is_unannounced;

        *slot = (struct slot){.state = SLOT_FREE};
        if (!is_unannounced) {
            broker_link_tell_never(init, event->slot, event->generation, -event->value);
        }
        return;
    }
    if (!is_new_child(init, event->value)) {
        init_fail(init, "the zygote named a process that is no worker");
        return;
    }
    slot->state = SLOT_LIVE;
    slot->pid = event->value;
    if (!slot->is_unannounced) {
        broker_link_tell_worker(init, &spawned);
    }
    if (slot->is_unwanted) {
        kill(slot->pid, SIGKILL);
    }
}

/* Appends how the worker of the self-test died, if it died of itself. */
static void add_trial_exit(struct init *init, char *text, size_t n_text)
{
    size_t n = strlen(text);
    int status;

    if (init->trial <= 0) {
        return;
    }
    kill(init->trial, SIGKILL); /* changes nothing when it is dying already */
    if (waitpid(init->trial, &status, 0) == init->trial) {
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
            snprintf(text + n, n_text - n, " (died by %s)", signal_name(WTERMSIG(status)));
        } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
            snprintf(text + n, n_text - n, " (exit status %d)", WEXITSTATUS(status));
        }
    }
    init->trial = -1;
}

static void take_failed(struct init *init, const struct message *message)
{
    char text[LAUNCH_TEXT_BYTES_MAX];

    snprintf(text, sizeof(text) - 32, "%.*s", (int)message->head.n_payload, message->payload);
    add_trial_exit(init, text, sizeof(text));
    init_fail(init, text);
}

static void take_ready(struct init *init, const struct message *message)
{
    if (init->is_ready) {
        init_fail(init, "the zygote described itself twice");
        return;
    }
    memcpy(init->describe, message->payload, message->head.n_payload);
    init->n_describe = message->head.n_payload;
    init->is_ready = true;
    launcher_link_tell(init, LAUNCH_READY, "");
}

static void take_message(struct init *init, const struct message *message)
{
    const struct zygote_event *event = &message->head;

    switch ((enum zygote_event_type)event->type) {
    case ZYGOTE_PHASE:
        if (event->value > (int32_t)init->phase && event->value <= ZYGOTE_SERVING) {
            init->phase = (enum zygote_phase)event->value;
        }
        return;
    case ZYGOTE_TRIAL:
        if (!init->is_ready && init->trial < 0 && is_new_child(init, event->value)) {
            init->trial = event->value;
        }
        return;
    case ZYGOTE_READY:
        take_ready(init, message);
        return;
    case ZYGOTE_FAILED:
        take_failed(init, message);
        return;
    case ZYGOTE_FORKED:
        take_forked(init, event);
        return;
    }
    init_fail(init, "the zygote sent an unknown message");
}

void zygote_link_step(struct init *init)
{
    while (!init->is_ending && init->zygote.channel >= 0) {
        struct message message;
        ssize_t n = packet_receive(init->zygote.channel, &message, sizeof(message));

        if (n == -EAGAIN) {
            return;
        }
        if (n <= 0 && n != -EMSGSIZE) {
            /* Closed: it has ended, or wants us to believe so. Its exit is what counts. */
            close(TAKE_FD(init->zygote.channel));
            kill(init->zygote.pid, SIGKILL);
            return;
        }
        if (n < (ssize_t)sizeof(message.head) || message.head.version != ZYGOTE_CHANNEL_VERSION ||
            (size_t)n != sizeof(message.head) + message.head.n_payload) {
            init_fail(init, "the zygote sent something that is no message");
            return;
        }
        take_message(init, &message);
    }
}

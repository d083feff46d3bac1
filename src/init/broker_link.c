/*
 * Init's side of its channel to the broker (ipc/init_channel.h).
 *
 * A broker is one channel: when it closes, every worker that was forked for it is killed, and a new
 * broker is told nothing and asked nothing until the last of them is gone. So slots and generations
 * of two brokers never meet, although both may count from one.
 *
 * What init says is bounded by what the broker asked for, so it always fits the channel; a broker
 * that does not read it is taken for dead.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "init/init.h"
#include "sys/packet.h"

bool broker_link_is_draining(const struct init *init)
{
    for (size_t i = 0; i < init->slots.n_slots; i++) {
        if (init->slots.slots[i].state != SLOT_FREE && init->slots.slots[i].is_unannounced) {
            return true;
        }
    }
    return false;
}

void broker_link_lose(struct init *init)
{
    if (init->broker < 0) {
        return;
    }
    close(TAKE_FD(init->broker));
    init->is_announced = false;
    for (size_t i = 0; i < init->slots.n_slots; i++) {
        struct slot *slot = &init->slots.slots[i];

        if (slot->state == SLOT_FREE) {
            continue;
        }
        slot->is_unwanted = true;
        slot->is_unannounced = true;
        if (slot->state == SLOT_LIVE) {
            kill(slot->pid, SIGKILL);
        }
    }
}

void broker_link_tell(struct init *init, const struct init_event *event, const void *payload,
                      size_t n_payload)
{
    struct init_event head = *event;

    if (init->broker < 0) {
        return;
    }
    head.version = INIT_CHANNEL_VERSION;
    head.n_payload = (uint32_t)n_payload;
    if (packet_send2(init->broker, &head, sizeof(head), payload, n_payload, -1) < 0) {
        broker_link_lose(init);
    }
}

void broker_link_tell_never(struct init *init, uint32_t slot, uint64_t generation, int error)
{
    struct init_event event = {
        .type = INIT_EXITED,
        .slot = slot,
        .generation = generation,
        .how = INIT_EXIT_NEVER,
        .value = error,
    };

    broker_link_tell(init, &event, NULL, 0);
}

void broker_link_announce(struct init *init)
{
    struct init_event event = {.type = INIT_READY, .slot = (uint32_t)init->slots.n_slots};

    if (init->is_ready && !init->is_announced && init->broker >= 0 &&
        !broker_link_is_draining(init)) {
        init->is_announced = true;
        broker_link_tell(init, &event, init->describe, init->n_describe);
    }
}

static void spawn(struct init *init, const struct init_command *command, int channel)
{
    struct slot *slot = slot_table_get(&init->slots, command->slot);
    int r;

    if (channel < 0) {
        return; /* nothing that could be answered about */
    }
    if (!slot) { /* the broker knows another configuration than the one we were started with */
        broker_link_tell_never(init, command->slot, command->generation, EINVAL);
        return;
    }
    if (slot->state != SLOT_FREE || !init->is_ready) {
        broker_link_tell_never(init, command->slot, command->generation,
                               init->is_ready ? EBUSY : EAGAIN);
        return;
    }
    r = zygote_link_fork(init, command->slot, command->generation, channel);
    if (r < 0) {
        broker_link_tell_never(init, command->slot, command->generation, -r);
    }
}

static void kill_worker(struct init *init, const struct init_command *command)
{
    struct slot *slot = slot_table_get(&init->slots, command->slot);

    if (!slot || slot->state == SLOT_FREE || slot->generation != command->generation) {
        return; /* gone already, or another by now */
    }
    slot->is_unwanted = true;
    if (slot->state == SLOT_LIVE) {
        kill(slot->pid, SIGKILL);
    }
}

/* Returns false when nothing more is there. */
static bool take_command(struct init *init)
{
    CLEANUP(closep) int channel = -1;
    struct init_command command;
    ssize_t n = packet_receive_fd(init->broker, &command, sizeof(command), &channel);

    if (n == -EAGAIN) {
        return false;
    }
    if (n != sizeof(command) || command.version != INIT_CHANNEL_VERSION) {
        broker_link_lose(init); /* gone, or not one that we understand */
        return false;
    }
    switch ((enum init_command_type)command.type) {
    case INIT_SPAWN:
        spawn(init, &command, channel);
        break;
    case INIT_KILL:
        kill_worker(init, &command);
        break;
    case INIT_STOP:
        init_end(init, 0);
        break;
    }
    return true;
}

void broker_link_step(struct init *init)
{
    while (init->broker >= 0 && !init->is_ending && take_command(init)) {
    }
}

/*
 * Init's side of its channel to the broker (ipc/init_channel.h).
 *
 * A broker is one channel: when it closes, every worker that was forked for it is killed, and a new
 * broker in its seat is told nothing and asked nothing until the last of them is gone. While the
 * broker is upgraded there are two seats taken, each with slots of its own: the old one's workers
 * finish what they do, and the new one gets others from the same zygote. So slots and generations
 * of two brokers never meet, although both may count from one.
 *
 * What init says is bounded by what a broker asked for, so it always fits the channel; a broker
 * that does not read it is taken for dead.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "init/init.h"
#include "sys/packet.h"

static uint32_t first_slot(const struct init *init, const struct broker_seat *seat)
{
    return (uint32_t)(seat - init->seats) * init->options->n_slots;
}

bool broker_link_is_draining(const struct init *init, const struct broker_seat *seat)
{
    const struct slot *slots = &init->slots.slots[first_slot(init, seat)];

    for (size_t i = 0; i < init->options->n_slots; i++) {
        if (slots[i].state != SLOT_FREE && slots[i].is_unannounced) {
            return true;
        }
    }
    return false;
}

static void lose(struct init *init, struct broker_seat *seat)
{
    struct slot *slots = &init->slots.slots[first_slot(init, seat)];

    if (seat->channel < 0) {
        return;
    }
    close(TAKE_FD(seat->channel));
    seat->is_announced = false;
    for (size_t i = 0; i < init->options->n_slots; i++) {
        struct slot *slot = &slots[i];

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

void broker_link_lose_all(struct init *init)
{
    for (size_t i = 0; i < INIT_BROKERS_MAX; i++) {
        lose(init, &init->seats[i]);
    }
}

/* One where nobody sits, better one where nobody's workers have yet to end; or NULL. */
static struct broker_seat *free_seat(struct init *init)
{
    struct broker_seat *found = NULL;

    for (size_t i = 0; i < INIT_BROKERS_MAX; i++) {
        struct broker_seat *seat = &init->seats[i];

        if (seat->channel < 0 && (!found || broker_link_is_draining(init, found))) {
            found = seat;
        }
    }
    return found;
}

int broker_link_seat(struct init *init, int channel)
{
    CLEANUP(closep) int owned = channel;
    struct broker_seat *seat;

    broker_link_step(init); /* one that is gone is noticed by reading */
    seat = free_seat(init);
    if (!seat) {
        return -EBUSY;
    }
    *seat = (struct broker_seat){.channel = TAKE_FD(owned)};
    return 0;
}

static void tell(struct init *init, struct broker_seat *seat, const struct init_event *event,
                 const void *payload, size_t n_payload)
{
    struct init_event head = *event;

    if (seat->channel < 0) {
        return;
    }
    head.version = INIT_CHANNEL_VERSION;
    head.n_payload = (uint32_t)n_payload;
    if (packet_send2(seat->channel, &head, sizeof(head), payload, n_payload, -1) < 0) {
        lose(init, seat);
    }
}

void broker_link_tell_all(struct init *init, const struct init_event *event, const void *payload,
                          size_t n_payload)
{
    for (size_t i = 0; i < INIT_BROKERS_MAX; i++) {
        tell(init, &init->seats[i], event, payload, n_payload);
    }
}

void broker_link_tell_worker(struct init *init, const struct init_event *event)
{
    struct broker_seat *seat = &init->seats[event->slot / init->options->n_slots];
    struct init_event theirs = *event;

    theirs.slot = event->slot % init->options->n_slots;
    tell(init, seat, &theirs, NULL, 0);
}

static struct init_event never(uint32_t slot, uint64_t generation, int error)
{
    return (struct init_event){
        .type = INIT_EXITED,
        .slot = slot,
        .generation = generation,
        .how = INIT_EXIT_NEVER,
        .value = error,
    };
}

void broker_link_tell_never(struct init *init, uint32_t slot, uint64_t generation, int error)
{
    const struct init_event event = never(slot, generation, error);

    broker_link_tell_worker(init, &event);
}

static void announce(struct init *init, struct broker_seat *seat)
{
    struct init_event event = {.type = INIT_READY, .slot = init->options->n_slots};

    if (init->is_ready && !seat->is_announced && seat->channel >= 0 &&
        !broker_link_is_draining(init, seat)) {
        seat->is_announced = true;
        tell(init, seat, &event, init->describe, init->n_describe);
    }
}

void broker_link_announce(struct init *init)
{
    for (size_t i = 0; i < INIT_BROKERS_MAX; i++) {
        announce(init, &init->seats[i]);
    }
}

/* The slot that a broker means, or NULL: then it knows another configuration than we do. */
static struct slot *find_slot(struct init *init, const struct broker_seat *seat, uint32_t number)
{
    return number < init->options->n_slots
               ? slot_table_get(&init->slots, first_slot(init, seat) + number)
               : NULL;
}

static void spawn(struct init *init, struct broker_seat *seat, const struct init_command *command,
                  int channel)
{
    struct slot *slot = find_slot(init, seat, command->slot);
    int r;

    if (channel < 0) {
        return; /* nothing that could be answered about */
    }
    if (!slot) {
        r = -EINVAL;
    } else if (slot->state != SLOT_FREE || !init->is_ready) {
        r = init->is_ready ? -EBUSY : -EAGAIN;
    } else {
        r = zygote_link_fork(init, slot_table_number(&init->slots, slot), command->generation,
                             channel);
    }
    if (r < 0) {
        const struct init_event event = never(command->slot, command->generation, -r);

        tell(init, seat, &event, NULL, 0);
    }
}

static void kill_worker(struct init *init, const struct broker_seat *seat,
                        const struct init_command *command)
{
    struct slot *slot = find_slot(init, seat, command->slot);

    if (!slot || slot->state == SLOT_FREE || slot->generation != command->generation) {
        return; /* gone already, or another by now */
    }
    slot->is_unwanted = true;
    if (slot->state == SLOT_LIVE) {
        kill(slot->pid, SIGKILL);
    }
}

/* A broker has no more use for this provider: its end, unless another broker is served here. */
static void stop(struct init *init, struct broker_seat *seat)
{
    lose(init, seat);
    for (size_t i = 0; i < INIT_BROKERS_MAX; i++) {
        if (init->seats[i].channel >= 0) {
            return; /* the launcher knows when both are done with it */
        }
    }
    init_end(init, 0);
}

/* Returns false when nothing more is there. */
static bool take_command(struct init *init, struct broker_seat *seat)
{
    CLEANUP(closep) int channel = -1;
    struct init_command command;
    ssize_t n = packet_receive_fd(seat->channel, &command, sizeof(command), &channel);

    if (n == -EAGAIN) {
        return false;
    }
    if (n != sizeof(command) || command.version != INIT_CHANNEL_VERSION) {
        lose(init, seat); /* gone, or not one that we understand */
        return false;
    }
    switch ((enum init_command_type)command.type) {
    case INIT_SPAWN:
        spawn(init, seat, &command, channel);
        break;
    case INIT_KILL:
        kill_worker(init, seat, &command);
        break;
    case INIT_STOP:
        stop(init, seat);
        break;
    }
    return true;
}

void broker_link_step(struct init *init)
{
    for (size_t i = 0; i < INIT_BROKERS_MAX; i++) {
        struct broker_seat *seat = &init->seats[i];

        while (seat->channel >= 0 && !init->is_ending && !broker_link_is_draining(init, seat) &&
               take_command(init, seat)) {
        }
    }
}

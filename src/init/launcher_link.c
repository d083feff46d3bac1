/*
 * Init's side of its channel to the launcher (ipc/launch_channel.h). When it closes, the launcher
 * is gone, and a provider does not outlive it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/init.h"
#include "sys/packet.h"

void launcher_link_tell(struct init *init, enum launch_event_type type, const char *text)
{
    struct launch_event event = {.version = LAUNCH_CHANNEL_VERSION, .type = type};
    int r;

    event.n_text = (uint32_t)strnlen(text, sizeof(event.text) - 1);
    memcpy(event.text, text, event.n_text);
    r = packet_send(init->launcher, &event, sizeof(event), -1);
    if (r < 0) {
        init_end(init, 1);
    }
}

static bool take_command(struct init *init)
{
    CLEANUP(closep) int fd = -1;
    struct launch_command command;
    ssize_t n = packet_receive_fd(init->launcher, &command, sizeof(command), &fd);

    if (n == -EAGAIN) {
        return false;
    }
    if (n != sizeof(command) || command.version != LAUNCH_CHANNEL_VERSION) {
        init_end(init, 1);
        return false;
    }
    switch ((enum launch_command_type)command.type) {
    case LAUNCH_NEW_BROKER:
        broker_link_lose_all(init);
        (void)!broker_link_seat(init, TAKE_FD(fd)); /* there is room now */
        break;
    case LAUNCH_NEXT_BROKER:
        /* Without a seat its channel closes: it learns that it cannot have this provider. */
        (void)!broker_link_seat(init, TAKE_FD(fd));
        break;
    case LAUNCH_STOP:
        init_end(init, 0);
        break;
    }
    return true;
}

void launcher_link_step(struct init *init)
{
    while (!init->is_ending && take_command(init)) {
    }
}

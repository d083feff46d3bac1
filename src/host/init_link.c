/*
 * Sending to init. It always reads, so a full channel is waited out.
 */
#include "host/init_link.h"

#include <errno.h>
#include <poll.h>

#include "sys/packet.h"

int init_link_send(int init_fd, const struct zygote_event *event, const void *payload,
                   size_t n_payload)
{
    struct zygote_event head = *event;
    int r;

    head.version = ZYGOTE_CHANNEL_VERSION;
    head.n_payload = (uint32_t)n_payload;
    while ((r = packet_send2(init_fd, &head, sizeof(head), payload, n_payload, -1)) == -EAGAIN) {
        struct pollfd pollfd = {.fd = init_fd, .events = POLLOUT};

        (void)poll(&pollfd, 1, -1);
    }
    return r;
}

int init_link_phase(int init_fd, enum zygote_phase phase)
{
    struct zygote_event event = {.type = ZYGOTE_PHASE, .value = (int32_t)phase};

    return init_link_send(init_fd, &event, NULL, 0);
}

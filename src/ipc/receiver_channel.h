/*
 * What pes-receiver tells the broker: a client connected (kernels without SO_PASSRIGHTS,
 * before 6.16).
 *
 * Each datagram carries exactly two descriptors: the broker's end of the relay, and a pidfd of the
 * client.
 */
#pragma once

#include <stdint.h>

#define RECEIVER_CHANNEL_VERSION 2

struct receiver_connection {
    uint32_t version; /* RECEIVER_CHANNEL_VERSION */
    uint32_t pid;     /* as SO_PEERCRED said */
    uint32_t uid;
    uint32_t gid;
    uint32_t is_admin; /* it came by the admin socket */
};

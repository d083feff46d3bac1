/*
 * What the launcher and pes-init say to each other, one fixed-size message per datagram
 * (SOCK_SEQPACKET).
 */
#pragma once

#include <stdint.h>

#define LAUNCH_CHANNEL_VERSION 1

enum launch_command_type {
    LAUNCH_NEW_BROKER = 1,  /* carries the channel to a new broker; those before are dead */
    LAUNCH_STOP = 2,        /* end everything */
    LAUNCH_NEXT_BROKER = 3, /* carries the channel to one beside the living one (an upgrade) */
};

/* Launcher to init. */
struct launch_command {
    uint32_t version; /* LAUNCH_CHANNEL_VERSION */
    uint32_t type;    /* enum launch_command_type */
};

enum launch_event_type {
    LAUNCH_READY = 1,  /* the provider serves */
    LAUNCH_FAILED = 2, /* it cannot; text says why; init exits after it */
};

#define LAUNCH_TEXT_BYTES_MAX 512

/* Init to launcher. */
struct launch_event {
    uint32_t version; /* LAUNCH_CHANNEL_VERSION */
    uint32_t type;    /* enum launch_event_type */
    uint32_t n_text;
    char text[LAUNCH_TEXT_BYTES_MAX]; /* from the provider: escape it */
};

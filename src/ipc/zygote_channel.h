/*
 * What pes-init and the zygote (pes-host) say to each other, one fixed-size message per datagram
 * (SOCK_SEQPACKET).
 *
 * Only `fork` carries a descriptor: the new worker's channel. From the moment a module is loaded
 * the zygote is not to be believed: init checks every pid, and exit signals come from its own wait.
 */
#pragma once

#include <stdint.h>

#define ZYGOTE_CHANNEL_VERSION 1

enum zygote_command_type {
    ZYGOTE_FORK = 1, /* fork a worker; carries its channel */
};

/* Init to zygote. */
struct zygote_command {
    uint32_t version; /* ZYGOTE_CHANNEL_VERSION */
    uint32_t type;    /* enum zygote_command_type */
    uint32_t slot;    /* echoed */
    uint32_t zero;
    uint64_t generation; /* echoed */
};

/* What the zygote is doing; named when it dies of it. */
enum zygote_phase {
    ZYGOTE_STARTING = 0,
    ZYGOTE_LOADING_MODULE = 1,
    ZYGOTE_LOADING_DEFINITIONS = 2,
    ZYGOTE_SELF_TEST = 3,
    ZYGOTE_SERVING = 4,
};

enum zygote_event_type {
    ZYGOTE_PHASE = 1,  /* value: enum zygote_phase, which begins */
    ZYGOTE_TRIAL = 2,  /* value: pid of the worker that the self-test runs in */
    ZYGOTE_READY = 3,  /* payload: an encoded Describe frame */
    ZYGOTE_FAILED = 4, /* payload: why, as text; it exits */
    ZYGOTE_FORKED = 5, /* value: pid of the worker, or a negative errno */
};

/* Zygote to init. A datagram is this header and n_payload bytes, at most INIT_PAYLOAD_BYTES_MAX. */
struct zygote_event {
    uint32_t version; /* ZYGOTE_CHANNEL_VERSION */
    uint32_t type;    /* enum zygote_event_type */
    uint32_t slot;
    int32_t value;
    uint64_t generation;
    uint32_t n_payload;
    uint32_t zero;
};

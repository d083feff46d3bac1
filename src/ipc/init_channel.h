/*
 * What broker and pes-init say to each other, one fixed-size message per datagram.
 *
 * The launcher makes the socket pair (SOCK_SEQPACKET). While the broker is upgraded there are two
 * of them, for two brokers that know nothing of each other: each counts its own slots from zero.
 * Only `spawn` carries a descriptor: the worker's end of its channel. Nothing that init sends ever
 * carries one. Text in `payload` comes from the provider: it is bounded here, and whoever shows it
 * escapes it.
 */
#pragma once

#include <stdint.h>

#define INIT_CHANNEL_VERSION 1
#define INIT_SLOTS_MAX       64 /* of one broker */
#define INIT_BROKERS_MAX     2

enum init_command_type {
    INIT_SPAWN = 1, /* fork a worker into this slot; carries its channel */
    INIT_KILL = 2,  /* end the worker of this slot, if it is still of this generation */
    INIT_STOP = 3,  /* end everything; while another broker is served, only what is this one's */
};

/* Broker to init. */
struct init_command {
    uint32_t version; /* INIT_CHANNEL_VERSION */
    uint32_t type;    /* enum init_command_type */
    uint32_t slot;
    uint32_t zero;
    uint64_t generation; /* of the slot, chosen by the broker, rising */
};

enum init_event_type {
    INIT_READY = 1,   /* provider has loaded; payload: an encoded Describe frame; slot: how many */
    INIT_FAILED = 2,  /* provider cannot serve; payload: reason as text; init exits after it */
    INIT_SPAWNED = 3, /* the worker of this slot and generation lives */
    INIT_EXITED = 4,  /* it is gone; how and value are true */
};

enum init_exit_how {
    INIT_EXIT_SIGNAL = 1, /* value: signal */
    INIT_EXIT_STATUS = 2, /* value: exit status */
    INIT_EXIT_NEVER = 3,  /* it could not be forked; value: errno */
};

/* Init to broker. A datagram is this header and n_payload bytes. */
struct init_event {
    uint32_t version; /* INIT_CHANNEL_VERSION */
    uint32_t type;    /* enum init_event_type */
    uint32_t slot;
    uint32_t how; /* enum init_exit_how */
    int32_t value;
    uint32_t limit; /* enum pes_limit, when the exit is known to come from one */
    uint64_t generation;
    uint64_t cpu_us;  /* processor time of the worker's life */
    uint64_t rss_kib; /* its greatest resident size */
    uint32_t n_payload;
    uint32_t zero;
};

#define INIT_PAYLOAD_BYTES_MAX 4096

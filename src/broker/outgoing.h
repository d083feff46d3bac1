/* A message that waits until it can be sent, with the descriptor that goes with it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct outgoing {
    struct outgoing *next;
    int fd; /* owned, or -1 */
    size_t n_bytes;
    uint8_t bytes[];
};

/* Copies a message, and its descriptor unless that is -1. NULL: no memory, or no descriptors
 * left. */
struct outgoing *outgoing_new(const void *bytes, size_t n_bytes, int fd);

/* Accepts NULL. */
void outgoing_free(struct outgoing *outgoing);

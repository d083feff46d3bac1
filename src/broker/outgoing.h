/* A message that waits until it can be sent, with the descriptors that go with it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct outgoing {
    struct outgoing *next;
    int *fds; /* owned; behind the bytes */
    size_t n_fds;
    size_t n_bytes;
    uint8_t bytes[];
};

/* Copies a message and its descriptors. NULL: no memory, or no descriptors left. */
struct outgoing *outgoing_new(const void *bytes, size_t n_bytes, const int *fds, size_t n_fds);

/* Accepts NULL. */
void outgoing_free(struct outgoing *outgoing);

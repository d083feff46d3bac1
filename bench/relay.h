/* The floor: what two hops over bare sockets cost on this machine, now. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* client -> relay -> echo -> relay -> client, each a process of its own. */
struct relay {
    pid_t pids[2];
    int socket; /* the client's end */
    bool is_pinned;
};

/* Pinned: all of them, and the client while it asks, on one CPU. Otherwise on one CPU each, as far
 * as there are. Ends the program when it fails. */
void relay_start(struct relay *relay, bool is_pinned);

/* Closes the client's end, which ends the others, and waits for them. */
void relay_stop(struct relay *relay);

/* Puts this process on the client's CPU, or lets it go again. */
void relay_enter(const struct relay *relay);
void relay_leave(void);

/* Sends `n_bytes` round and waits for an echo of 64 bytes. Returns the time in us. */
double relay_ask(struct relay *relay, const void *bytes, size_t n_bytes);

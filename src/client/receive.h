/* What arrives from the broker. */
#pragma once

#include <stdbool.h>

struct pes_ctx;
struct connection;

/*
 * Takes in what has arrived on a connection, without blocking: `all`, or until nothing is awaited
 * from it any more; what is left makes epoll wake up again. Returns false when the connection is
 * no more.
 */
bool receive(struct pes_ctx *ctx, struct connection *connection, bool all);

/* What arrives from the broker. */
#pragma once

#include <stdbool.h>

struct pes_ctx;
struct connection;

/*
 * Takes in what has arrived on a connection, without blocking. Returns false when the connection
 * is no more.
 */
bool receive(struct pes_ctx *ctx, struct connection *connection);

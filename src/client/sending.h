/* What is sent when. */
#pragma once

#include "base/cleanup.h"

struct pes_ctx;
struct connection;

/* Sends what can be sent now. Returns 0, or a negative errno when the connection is lost. */
MUST_CHECK int sending_all(struct pes_ctx *ctx, struct connection *connection);

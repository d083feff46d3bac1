/* Copies messages between a client and the broker, for one connection. */
#pragma once

#include "base/cleanup.h"

/*
 * Runs until either side closes; then everything that was received has been passed on. Returns 0,
 * or -errno when it cannot go on. From the client no descriptor is taken; from the broker at most
 * one with each message.
 */
MUST_CHECK int relay_run(int client, int broker);

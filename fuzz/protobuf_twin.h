/* The same message as our codec and as protobuf-c see it. Test-only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pes.pb-c.h"
#include "wire/codec.h"

/* Whether protobuf-c's frame holds the same message with the same values as ours. */
bool twin_equal(const struct wire_frame *ours, const Pes__Frame *theirs);

/*
 * Ends the process unless our frame survives the round trip: encoded, decoded by both to equal
 * values, and encoded by protobuf-c to the same bytes.
 */
void twin_check_round_trip(const struct wire_frame *ours);

/* Memory: how much a provider takes, and how much there is for another one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define ROOM_UNLIMITED UINT64_MAX

/* The largest resident size among a process and its descendants; 0: it cannot be measured. */
uint64_t room_taken_bytes(pid_t pid);

/*
 * What can be had without swapping: the least of MemAvailable and of what each control group above
 * us leaves. `root` is "" but in tests. ROOM_UNLIMITED: nothing is known.
 */
uint64_t room_available_bytes(const char *root);

/* Whether a second one like `taken_bytes` has room, with a quarter to spare: new definitions have
 * grown as a rule. What is not known is taken for enough. */
bool room_is_enough(uint64_t taken_bytes, uint64_t available_bytes);

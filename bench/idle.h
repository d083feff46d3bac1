/* Clients that are connected and do nothing. */
#pragma once

#include <stddef.h>

struct idle;

/* Starts `n` of them in processes of their own, under other users where there are more than one
 * user may have; returns once each had an answer. Ends the program when it fails. */
struct idle *idle_start(size_t n);
void idle_stop(struct idle *idle);

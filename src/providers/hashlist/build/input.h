/* Reads one input, a file or the folder of a MISP feed, into its feed. */
#pragma once

#include "providers/hashlist/build/feed.h"

/*
 * Returns 0, or a negative errno: then nothing may be built, since the list would have a hole, and
 * feed->failure says why; it begins with the line if there is one.
 */
int input_read(struct feed *feed);

/* The same for bytes in memory, as if they were what is at feed->path. */
int input_read_bytes(struct feed *feed, const char *bytes, size_t n_bytes);

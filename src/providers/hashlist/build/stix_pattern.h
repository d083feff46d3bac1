/* The file hashes of a STIX pattern, as far as one of them alone means that the pattern matches. */
#pragma once

#include "providers/hashlist/build/hash_text.h"

enum stix_outcome {
    STIX_GOOD = 1,   /* hashes were given to the callback */
    STIX_OTHER = 2,  /* a pattern, but not of file hashes alone */
    STIX_BROKEN = 3, /* not a pattern, or a hash that is none */
};

/* Hashes of one file. 0 or negative errno. */
typedef int (*stix_file_fn)(void *data, const struct file_hashes *hashes);

/*
 * Reads `pattern`. For alternatives (OR, IN) the callback is called once each; hashes joined by AND
 * are of one file. Returns 0 and the outcome, or what the callback returned. Unless the outcome is
 * STIX_GOOD the callback was not called.
 */
int stix_pattern_read(const char *pattern, size_t n_pattern, stix_file_fn take, void *data,
                      enum stix_outcome *ret_outcome);

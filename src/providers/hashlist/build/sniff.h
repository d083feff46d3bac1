/* Which format an input is in, by how it begins. */
#pragma once

#include "providers/hashlist/build/feed.h"

#define SNIFF_BYTES ((size_t)64 << 10)

enum sniff {
    SNIFF_TEXT = 1, /* and the format, none of which is JSON */
    SNIFF_JSON = 2,
    SNIFF_WRONG = 3, /* and why */
};

/* `head` is the first SNIFF_BYTES of the input, or all of it; `path` only lends its suffix. */
enum sniff sniff_format(const char *path, const char *head, size_t n_head,
                        enum feed_format *ret_format, const char **ret_wrong);

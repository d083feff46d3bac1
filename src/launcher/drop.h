/* Gives up root before anything is made. */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

#define DROP_WHY_BYTES_MAX 256

enum drop_outcome {
    DROP_E_REFUSED = 1, /* the text says why */
};

/* Becomes `user` (a name or a uid, not root) with its groups alone and no capability. */
MUST_CHECK int drop_to_user(const char *user, char ret_why[DROP_WHY_BYTES_MAX]);

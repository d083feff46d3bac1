/* Whether RLIMIT_AS can be used: no, a sanitizer reserves terabytes of shadow. */
#include "sandbox/sandbox.h"

const bool sandbox_limits_address_space = false;

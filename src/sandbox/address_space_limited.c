/* Whether RLIMIT_AS can be used: yes, in what is installed. */
#include "sandbox/sandbox.h"

const bool sandbox_limits_address_space = true;

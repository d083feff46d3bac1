/* No doors besides the common ones. */
#include "kit.h"

const struct kit_table kit_processor = {NULL, 0};

/* Any bytes: within bounds, and a name for whatever is called packed. */
#include <stdlib.h>

#include "base/packed_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    const char *name = packed_form_name(bytes, n_bytes);

    if (name && (n_bytes < 2 || name[0] == '\0')) {
        abort(); /* so few bytes hide nothing */
    }
    return 0;
}

/* The broker's core: bytes are happenings in its world, which stops the program when a promise is
 * broken. */
#include <stddef.h>
#include <stdint.h>

#include "drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;

    world_init(&world, 1);
    drive(&world, data, size);
    return 0;
}

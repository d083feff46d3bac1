/* Prints the names of all attempts, for tests that are not written in C. */
#include <stdio.h>

#include "kit.h"

int main(void)
{
    const struct kit_attempt *attempt;

    for (size_t i = 0; (attempt = kit_get(i)); i++) {
        puts(attempt->name);
    }
    return 0;
}

/* No engine in this build: the comparison with one is left out. */
#include "engine.h"

struct engine *engine_open(const char *folder)
{
    return NULL;
}

struct engine_scanner *engine_scanner_new(struct engine *engine)
{
    return NULL;
}

void engine_scanner_free(struct engine_scanner *scanner)
{
}

unsigned engine_scan(struct engine_scanner *scanner, const void *bytes, size_t n_bytes)
{
    return 0;
}

bool engine_takes_packed(void)
{
    return false;
}

size_t engine_n_rules(const struct engine *engine)
{
    return 0;
}

void engine_close(struct engine *engine)
{
}

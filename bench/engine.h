/* An engine in this process: what people compare with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct engine;

/* Loads the definitions in `folder`. Returns NULL when this build has no engine or there are no
 * rules. */
struct engine *engine_open(const char *folder);

/* Scans; ends the program when the engine fails. Returns how many rules matched. */
unsigned engine_scan(struct engine *engine, const void *bytes, size_t n_bytes);

/* Whether it is asked about archives; their kind is not everybody's. */
bool engine_takes_packed(void);

size_t engine_n_rules(const struct engine *engine);

void engine_close(struct engine *engine);

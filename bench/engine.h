/* An engine in this process: what people compare with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct engine;
struct engine_scanner;

/* Loads the definitions in `folder`. Returns NULL when this build has no engine or there are
 * none. One engine serves any number of scanners. */
struct engine *engine_open(const char *folder);

/* One for each thread; ends the program when there is no memory. */
struct engine_scanner *engine_scanner_new(struct engine *engine);
void engine_scanner_free(struct engine_scanner *scanner);

/* Scans; ends the program when the engine fails. Returns how many rules matched. */
unsigned engine_scan(struct engine_scanner *scanner, const void *bytes, size_t n_bytes);

/* Whether it is asked about archives; their kind is not everybody's. */
bool engine_takes_packed(void);

size_t engine_n_rules(const struct engine *engine);

void engine_close(struct engine *engine);

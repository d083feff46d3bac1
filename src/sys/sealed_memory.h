/* Memory that is filled once and then nobody can change. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* A memfd to fill, executable or never to be executed. Returns it, or -errno. */
MUST_CHECK int sealed_memory_new(const char *name, bool is_executable);

/* Appends `n_bytes` of the file `from`. Returns 0, or -errno: -ESTALE when it shrank meanwhile. */
MUST_CHECK int sealed_memory_copy(int memory, int from, off_t n_bytes);

/* From here on it cannot be written, grown or shrunk. Returns 0 or -errno. */
MUST_CHECK int sealed_memory_seal(int memory);

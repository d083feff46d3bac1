/* Whether bytes are packed: a form that hides what it holds from whoever looks at the bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What it is called ("zip", "gzip", "mail"); NULL for everything that is not known to be packed.
 * Static. Takes time linear in `n_bytes` at worst, allocates nothing. */
const char *packed_form_name(const uint8_t *bytes, size_t n_bytes);

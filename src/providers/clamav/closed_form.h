/* Forms of content that libclamav takes for plain bytes although something is packed inside. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it begins like an archive or a compressed file that libclamav cannot open. */
bool closed_form_is_packed(const uint8_t *bytes, size_t n_bytes);

/* Whether an OLE2 file (old and encrypted office documents) holds an encrypted document. */
bool closed_form_is_encrypted_ole2(const uint8_t *bytes, size_t n_bytes);

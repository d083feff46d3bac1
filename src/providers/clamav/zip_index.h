/* What a ZIP file says that it holds. Pure: no allocation, no state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zip_index {
    uint32_t n_members;     /* with content that an engine would look at */
    uint32_t n_encrypted;   /* of these */
    uint32_t n_unsupported; /* of these: packed by a method that libclamav does not know */
    uint32_t crc_sum;       /* of the CRC-32 of members that can be unpacked */
    bool is_broken;         /* the index contradicts itself or the file */
};

/*
 * Reads the central directory. With `is_known` the file is known to be a ZIP file: then its end may
 * be followed by a comment, and if there is none the index is broken; otherwise the end must be the
 * last thing in the file. Returns whether there is an index (or should be one).
 */
bool zip_index_read(struct zip_index *ret_index, const uint8_t *bytes, size_t n_bytes,
                    bool is_known);

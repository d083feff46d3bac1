/*
 * zip_index: counts the members that a ZIP file claims to have.
 *
 * libclamav skips members that it cannot unpack (LZMA, Zstandard, AES, files that overlap), and
 * says nothing. So the provider counts what the file promises and compares it with what the engine
 * looked at. Only the central directory is read: a file that hides members from it is what the
 * engine's own search for local headers is for.
 *
 * Every offset is checked against the end of the file before it is used, and each entry moves
 * forward by at least its fixed part, so that the work is bounded by the length of the file.
 * ZIP64 (more than 65534 members, or 4 GiB) is not read; libclamav does not read it either.
 */
#include "providers/clamav/zip_index.h"

#include <string.h>

#define END_BYTES     22u
#define ENTRY_BYTES   46u
#define COMMENT_MAX   65535u
#define FLAG_CRYPT    0x0001u
#define TOO_SMALL_MAX 5u /* libclamav looks at nothing that is as short as that */

#define METHOD_STORED    0u
#define METHOD_IMPLODE   6u
#define METHOD_DEFLATE   8u
#define METHOD_DEFLATE64 9u
#define METHOD_BZIP2     12u

static uint32_t le16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t le32(const uint8_t *at)
{
    return le16(at) | le16(at + 2) << 16;
}

/* The end record: offset in `ret_at`. */
static bool end_find(const uint8_t *bytes, size_t n_bytes, bool is_known, size_t *ret_at)
{
    size_t n_searched = is_known ? COMMENT_MAX : 0;

    if (n_bytes < END_BYTES) {
        return false;
    }
    for (size_t back = 0; back <= n_searched && back <= n_bytes - END_BYTES; back++) {
        size_t at = n_bytes - END_BYTES - back;

        if (memcmp(bytes + at, "PK\5\6", 4) == 0) {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

static bool is_supported(uint32_t method)
{
    return method == METHOD_STORED || method == METHOD_IMPLODE || method == METHOD_DEFLATE ||
           method == METHOD_DEFLATE64 || method == METHOD_BZIP2;
}

static void entry_take(struct zip_index *index, const uint8_t *entry)
{
    if (le32(entry + 24) <= TOO_SMALL_MAX) {
        return; /* a folder, an empty file, next to nothing */
    }
    index->n_members++;
    if (le16(entry + 8) & FLAG_CRYPT) {
        index->n_encrypted++;
    } else if (!is_supported(le16(entry + 10))) {
        index->n_unsupported++;
    } else {
        index->crc_sum += le32(entry + 16);
    }
}

/* The entries in `bytes`, which ends where the end record begins. */
static void entries_read(struct zip_index *index, const uint8_t *bytes, size_t n_bytes,
                         uint32_t n_entries)
{
    size_t at = 0;

    for (uint32_t i = 0; i < n_entries; i++) {
        if (n_bytes - at < ENTRY_BYTES || memcmp(bytes + at, "PK\1\2", 4) != 0) {
            index->is_broken = true;
            return;
        }
        size_t n =
            ENTRY_BYTES + le16(bytes + at + 28) + le16(bytes + at + 30) + le16(bytes + at + 32);

        if (n > n_bytes - at) {
            index->is_broken = true;
            return;
        }
        entry_take(index, bytes + at);
        at += n;
    }
    if (at != n_bytes) {
        index->is_broken = true;
    }
}

bool zip_index_read(struct zip_index *ret_index, const uint8_t *bytes, size_t n_bytes,
                    bool is_known)
{
    uint32_t n_directory;
    size_t end;

    memset(ret_index, 0, sizeof(*ret_index));
    if (!end_find(bytes, n_bytes, is_known, &end)) {
        ret_index->is_broken = is_known;
        return is_known;
    }
    /* The directory ends where the end record begins, whatever stands before the archive. */
    n_directory = le32(bytes + end + 12);
    if (n_directory > end) {
        ret_index->is_broken = true;
        return true;
    }
    entries_read(ret_index, bytes + end - n_directory, n_directory, le16(bytes + end + 10));
    return true;
}

/*
 * list_format: numbers, sums and places of the compiled hash list, for the builder and the reader.
 *
 * Everything is little-endian and read byte by byte, so that neither alignment nor the machine
 * matters. The header's own SHA-256 tells a damaged header; whether the rest is as it was written
 * is told by a sum for each block of rows, which a lookup checks for the rows that it relies on.
 */
#include "providers/hashlist/list_format.h"

#include <openssl/sha.h>
#include <string.h>

#define FAN_ROWS     16u /* rows for each range, on average */
#define FAN_BITS_MAX 22u
#define SECTION      8u /* sections start at a multiple of this */

static const struct {
    const char *name;
    size_t digest_bytes;
} algorithms[LIST_N_ALGORITHMS] = {
    [LIST_SHA256] = {"sha256", 32},
    [LIST_SHA1] = {"sha1", 20},
    [LIST_MD5] = {"md5", 16},
};

const char *list_algorithm_name(enum list_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

size_t list_digest_bytes(enum list_algorithm algorithm)
{
    return algorithms[algorithm].digest_bytes;
}

uint32_t list_get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

void list_put32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t get64(const uint8_t *bytes)
{
    return list_get32(bytes) | (uint64_t)list_get32(bytes + 4) << 32;
}

static void put64(uint8_t *bytes, uint64_t value)
{
    list_put32(bytes, (uint32_t)value);
    list_put32(bytes + 4, (uint32_t)(value >> 32));
}

uint32_t list_sum(uint32_t sum, const void *bytes, size_t n_bytes)
{
    static uint32_t table[256];
    const uint8_t *b = bytes;

    for (uint32_t i = table[255] ? 256 : 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) {
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320 : table[i] >> 1;
        }
    }
    sum = ~sum;
    for (size_t i = 0; i < n_bytes; i++) {
        sum = table[(sum ^ b[i]) & 255] ^ sum >> 8;
    }
    return ~sum;
}

static unsigned fan_bits(uint64_t n_rows)
{
    unsigned bits = 0;

    while (bits < FAN_BITS_MAX && n_rows >> bits > FAN_ROWS) {
        bits++;
    }
    return bits;
}

uint32_t list_fan_slot(const struct list_table *table, const uint8_t *digest)
{
    uint32_t head = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                    (uint32_t)digest[2] << 8 | digest[3];

    return table->fan_bits == 0 ? 0 : head >> (32 - table->fan_bits);
}

/* Takes `n` things of `size` bytes, both of which were bounded: no sum here comes near 2^64. */
static uint64_t section(uint64_t *at, uint64_t n, uint64_t size)
{
    uint64_t start = *at;

    *at += (n * size + SECTION - 1) / SECTION * SECTION;
    return start;
}

bool list_layout_init(struct list_layout *layout, const struct list_header *header)
{
    uint64_t at = LIST_HEADER_BYTES;

    if (header->n_labels > LIST_LABEL_MASK || header->n_sources > LIST_SOURCES_MAX ||
        header->n_name_bytes > UINT32_MAX) {
        return false;
    }
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        struct list_table *table = &layout->tables[i];

        if (header->n_rows[i] > LIST_ROWS_MAX) {
            return false;
        }
        *table = (struct list_table){
            .digest_bytes = algorithms[i].digest_bytes,
            .row_bytes = algorithms[i].digest_bytes + 4,
            .n_rows = header->n_rows[i],
            .fan_bits = fan_bits(header->n_rows[i]),
            .n_blocks = (header->n_rows[i] + LIST_BLOCK_ROWS - 1) / LIST_BLOCK_ROWS,
        };
        if (table->n_rows == 0) {
            continue; /* no such table, not even an empty one */
        }
        table->rows_at = section(&at, table->n_rows, table->row_bytes);
        table->fan_at = section(&at, (UINT64_C(1) << table->fan_bits) + 1, 4);
        table->sums_at = section(&at, table->n_blocks, 4);
    }
    layout->labels_at = section(&at, header->n_labels, LIST_LABEL_BYTES);
    layout->sources_at = section(&at, header->n_sources, LIST_LABEL_BYTES);
    layout->names_at = section(&at, header->n_name_bytes, 1);
    layout->file_bytes = at;
    return true;
}

void list_header_encode(const struct list_header *header, uint8_t ret_bytes[LIST_HEADER_BYTES])
{
    memset(ret_bytes, 0, LIST_HEADER_BYTES);
    memcpy(ret_bytes, LIST_MAGIC, LIST_MAGIC_BYTES);
    list_put32(ret_bytes + 8, LIST_VERSION);
    list_put32(ret_bytes + 12, LIST_HEADER_BYTES);
    put64(ret_bytes + 16, header->file_bytes);
    put64(ret_bytes + 24, header->built);
    for (size_t i = 0; i < LIST_N_ALGORITHMS; i++) {
        put64(ret_bytes + 32 + 8 * i, header->n_rows[i]);
    }
    put64(ret_bytes + 56, header->n_labels);
    put64(ret_bytes + 64, header->n_sources);
    put64(ret_bytes + 72, header->n_name_bytes);
    for (size_t i = 1; i < 4; i++) {
        put64(ret_bytes + 72 + 8 * i, header->n_actions[i]);
    }
    memcpy(ret_bytes + 160, header->body_digest, 32);
    SHA256(ret_bytes, LIST_HEADER_DIGEST_AT, ret_bytes + LIST_HEADER_DIGEST_AT);
}

const char *list_header_decode(struct list_header *header, const uint8_t *bytes)
{
    uint8_t digest[32];

    if (memcmp(bytes, LIST_MAGIC, LIST_MAGIC_BYTES) != 0) {
        return "is not a compiled hash list";
    }
    if (list_get32(bytes + 8) != LIST_VERSION) {
        return "is of another version of the format";
    }
    SHA256(bytes, LIST_HEADER_DIGEST_AT, digest);
    if (memcmp(digest, bytes + LIST_HEADER_DIGEST_AT, 32) != 0 ||
        list_get32(bytes + 12) != LIST_HEADER_BYTES) {
        return "has a damaged header";
    }
    *header = (struct list_header){
        .file_bytes = get64(bytes + 16),
        .built = get64(bytes + 24),
        .n_rows = {get64(bytes + 32), get64(bytes + 40), get64(bytes + 48)},
        .n_labels = get64(bytes + 56),
        .n_sources = get64(bytes + 64),
        .n_name_bytes = get64(bytes + 72),
        .n_actions = {0, get64(bytes + 80), get64(bytes + 88), get64(bytes + 96)},
    };
    memcpy(header->body_digest, bytes + 160, 32);
    memcpy(header->header_digest, bytes + LIST_HEADER_DIGEST_AT, 32);
    return NULL;
}

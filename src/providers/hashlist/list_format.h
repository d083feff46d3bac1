/*
 * The compiled hash list, version 1: one file, read where it lies
 * (docs/providers/hashlist-format.md).
 *
 * The header has counts and no offsets: where each section lies follows from the counts, so that
 * there is nothing in the file that could point outside of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIST_MAGIC            "\x89PESHL\r\n"
#define LIST_MAGIC_BYTES      8u
#define LIST_VERSION          1u
#define LIST_HEADER_BYTES     256u
#define LIST_HEADER_DIGEST_AT 224u
#define LIST_DIGEST_BYTES_MAX 32u
#define LIST_LABEL_BYTES      16u
#define LIST_NAME_BYTES_MAX   128u
#define LIST_BLOCK_ROWS       16u
#define LIST_ROWS_MAX         (UINT32_MAX - 1)
#define LIST_SOURCES_MAX      4096u

/* Strongest first. */
enum list_algorithm {
    LIST_SHA256 = 0,
    LIST_SHA1 = 1,
    LIST_MD5 = 2,
};

#define LIST_N_ALGORITHMS 3

/* The two highest bits of a row's last word; below them is the number of its label. */
enum list_action {
    LIST_NONE = 0, /* not listed; never written */
    LIST_DENY = 1,
    LIST_ALLOW = 2,
    LIST_TEST = 3, /* agreed on for tests: reported as such, proves that a lookup works */
};

#define LIST_ACTION_SHIFT 30
#define LIST_LABEL_MASK   ((1u << LIST_ACTION_SHIFT) - 1)

struct list_header {
    uint64_t file_bytes;
    uint64_t built; /* seconds since 1970 */
    uint64_t n_rows[LIST_N_ALGORITHMS];
    uint64_t n_labels;
    uint64_t n_sources;
    uint64_t n_name_bytes;
    uint64_t n_actions[4]; /* rows by enum list_action */
    uint8_t body_digest[32];
    uint8_t header_digest[32];
};

/* Offsets of one algorithm's sections. */
struct list_table {
    size_t digest_bytes;
    size_t row_bytes;
    uint64_t n_rows;
    unsigned fan_bits; /* 1 << fan_bits ranges by the first bits of a digest */
    uint64_t rows_at;
    uint64_t fan_at;
    uint64_t sums_at; /* one CRC-32 for each LIST_BLOCK_ROWS rows */
    uint64_t n_blocks;
};

struct list_layout {
    struct list_table tables[LIST_N_ALGORITHMS];
    uint64_t labels_at;
    uint64_t sources_at;
    uint64_t names_at;
    uint64_t file_bytes;
};

const char *list_algorithm_name(enum list_algorithm algorithm);
size_t list_digest_bytes(enum list_algorithm algorithm);

/* Where everything lies. Returns false when the counts are more than the format can hold. */
bool list_layout_init(struct list_layout *layout, const struct list_header *header);

/* Which range a digest is in. */
uint32_t list_fan_slot(const struct list_table *table, const uint8_t *digest);

void list_header_encode(const struct list_header *header, uint8_t ret_bytes[LIST_HEADER_BYTES]);

/* NULL, or what is wrong with these bytes, which are LIST_HEADER_BYTES. */
const char *list_header_decode(struct list_header *header, const uint8_t *bytes);

/* CRC-32 (IEEE 802.3). Start with 0; the result of one call starts the next. */
uint32_t list_sum(uint32_t sum, const void *bytes, size_t n_bytes);

uint32_t list_get32(const uint8_t *bytes);
void list_put32(uint8_t *bytes, uint32_t value);

/* What the engine looked at, layer by layer, and what it must have left out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why something was not examined. */
enum gap {
    GAP_FAILED = 1u << 0, /* the engine could not work */
    GAP_TIME = 1u << 1,
    GAP_SIZE = 1u << 2,
    GAP_DEPTH = 1u << 3, /* layers, members */
    GAP_ENCRYPTED = 1u << 4,
    GAP_MALFORMED = 1u << 5,
    GAP_UNSUPPORTED = 1u << 6,
};

#define LAYERS_MAX 128u

struct layer {
    const char *type;      /* libclamav's name, static; NULL: not told of */
    uint32_t n_children;   /* layers that came out of it */
    uint32_t n_expected;   /* members that a ZIP file promises */
    uint32_t crc_expected; /* sum of their CRC-32 */
    uint32_t crc_seen;
    bool is_archive;      /* a ZIP file, and not something that ends with one */
    uint64_t first_bytes; /* of the first child */
    uint32_t first_crc;
    uint32_t promised_crc; /* what a gzip file says of its content */
    uint64_t promised;     /* length that a gzip file promises */
};

struct layer_watch {
    struct layer layers[LAYERS_MAX];
    size_t n_layers;
    uint32_t n_seen; /* of all */
    uint32_t gaps;   /* enum gap */
};

/* One layer, as libclamav's inspection callback tells of it. */
struct layer_seen {
    const char *type;
    const uint8_t *bytes; /* NULL: not told */
    size_t n_bytes;
    uint32_t level;
    bool is_named;      /* a member of an archive has a name */
    bool is_normalised; /* made by the engine out of its parent */
};

void layer_watch_init(struct layer_watch *watch);

/* Takes in the next layer, in the order in which the engine looks at them. */
void layer_watch_take(struct layer_watch *watch, const struct layer_seen *seen);

/* After the last one. */
void layer_watch_end(struct layer_watch *watch);

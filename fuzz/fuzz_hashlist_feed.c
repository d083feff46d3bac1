/*
 * Feeds of hashes, whatever somebody publishes under that name: read within bounds, and every hash
 * that is stated is counted once. The first byte says how it is read; the rest is the feed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "providers/hashlist/build/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static size_t n_rows(const struct entries *entries)
{
    size_t n = 0;

    for (size_t a = 0; a < LIST_N_ALGORITHMS; a++) {
        n += entries->tables[a].n_rows;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct feed_sink sink;
    static struct feed feed;
    int r;

    if (n_bytes == 0) {
        return 0;
    }
    memset(&sink, 0, sizeof(sink));
    sink.now = 1700000000;
    sink.takes_all_ids = bytes[0] & 0x40;
    feed = (struct feed){
        .sink = &sink,
        .path = bytes[0] & 0x20 ? "feed.hdb" : "feed",
        .role = (enum feed_role)(bytes[0] >> 3 & 3),
        .format = (enum feed_format)((bytes[0] & 7) % FEED_N_FORMATS),
        .source = 1,
        .name = "fuzz",
    };
    r = input_read_bytes(&feed, (const char *)bytes + 1, n_bytes - 1);
    if (r < 0 && feed.failure[0] == '\0') {
        abort(); /* why is always told */
    }
    entries_sort(&sink.listed);
    entries_sort(&sink.warned);
    if (r == 0 && feed.role != FEED_WARNING &&
        feed.n_taken != n_rows(&sink.listed) + feed_duplicates(&feed)) {
        abort();
    }
    for (size_t i = 0; i < feed.n_refused && i < FEED_BROKEN_KEPT; i++) {
        if (feed.broken[i].place[0] == '\0' || feed.broken[i].reason[0] == '\0') {
            abort();
        }
    }
    entries_fini(&sink.listed);
    entries_fini(&sink.warned);
    return 0;
}

/*
 * inflate: gzip, zlib and bare deflate by zlib, into a text with a limit.
 *
 * A bomb ends at the limit of the text and is then told by INFLATE_CUT. Bare deflate has no mark
 * by which to know it, so only data that comes to its own end counts as such.
 */
#include "providers/command/inflate.h"

#include <zlib.h>

#define CHUNK_BYTES 4096u
/* gzip or zlib, found out by zlib from the header. */
#define WINDOW_AUTO 47
#define WINDOW_BARE (-15)

static enum inflate_result run(int window, const uint8_t *bytes, size_t n, struct span span,
                               struct text *text)
{
    z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)n};
    uint8_t chunk[CHUNK_BYTES];
    int r;

    if (inflateInit2(&stream, window) != Z_OK) {
        return INFLATE_NOTHING;
    }
    do {
        stream.next_out = chunk;
        stream.avail_out = sizeof(chunk);
        r = inflate(&stream, Z_NO_FLUSH);
        text_put_bytes(text, chunk, sizeof(chunk) - stream.avail_out, span);
    } while (r == Z_OK && !text->is_cut);
    inflateEnd(&stream);
    if (text->n == 0) {
        return INFLATE_NOTHING;
    }
    return r == Z_STREAM_END && !text->is_cut ? INFLATE_WHOLE : INFLATE_CUT;
}

enum inflate_result inflate_bytes(const uint8_t *bytes, size_t n, struct span span,
                                  struct text *ret_text)
{
    enum inflate_result result;

    if (n < 8 || n > UINT32_MAX) {
        return INFLATE_NOTHING;
    }
    if ((bytes[0] == 0x1f && bytes[1] == 0x8b) ||
        (bytes[0] == 0x78 && (bytes[0] << 8 | bytes[1]) % 31 == 0)) {
        return run(WINDOW_AUTO, bytes, n, span, ret_text);
    }
    result = run(WINDOW_BARE, bytes, n, span, ret_text);
    if (result != INFLATE_WHOLE && !(result == INFLATE_CUT && ret_text->is_cut)) {
        ret_text->n = 0;
        return INFLATE_NOTHING;
    }
    return result;
}

/*
 * decode: shows a person what an encoded command comes to.
 *
 * A command line that hides its work behind base64 or hexadecimal digits is best answered with the
 * text that it would run. Candidates are found by alphabet alone, and those count that decode to
 * readable text: most long runs of the base64 alphabet in a command line are paths or words, and
 * those come out as noise.
 *
 * Whoever wrote the line wrote the candidates, too, and may have put harmless ones beside the one
 * that is run. So none is chosen over the others: those nearest before the end of what matched are
 * all shown, with equal room each, and that some are not shown is said.
 *
 * It promises to read each byte a bounded number of times, and it leaves out everything deeper:
 * second layers, compression, variables put together at run time.
 */
#include "providers/yara/decode.h"

#include <stdbool.h>
#include <string.h>

#define RUN_CHARS_MIN   16u
#define SHOWN_MAX       8u
#define BEHIND_MAX      64u /* from the end of the match to a run: decode(  'ZWNobyBo...') */
#define INPUT_BYTES_MAX (64u * 1024)
#define MORE            "...\n"

struct run {
    const uint8_t *start;
    size_t n;
};

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t base64_decode(struct run run, uint8_t *ret, size_t n_ret)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < run.n && n < n_ret; i++) {
        bits = bits << 6 | (uint32_t)base64_value(run.start[i]);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            ret[n++] = (uint8_t)(bits >> n_bits);
        }
    }
    return n;
}

static size_t hex_decode(struct run run, uint8_t *ret, size_t n_ret)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < run.n && n < n_ret;) {
        if (run.start[i] == '\\') {
            i += 2;
            continue;
        }
        ret[n++] = (uint8_t)(hex_value(run.start[i]) << 4 | hex_value(run.start[i + 1]));
        i += 2;
    }
    return n;
}

/* Length of the run of `form` at `bytes`, 0 when there is none. */
static size_t run_length(enum decode_form form, const uint8_t *bytes, size_t n_bytes)
{
    size_t n = 0;

    switch (form) {
    case DECODE_NOTHING:
        break;
    case DECODE_BASE64:
        while (n < n_bytes && base64_value(bytes[n]) >= 0) {
            n++;
        }
        break;
    case DECODE_HEX:
        for (;;) {
            size_t skip = n + 1 < n_bytes && bytes[n] == '\\' && bytes[n + 1] == 'x' ? 2 : 0;

            if (n + skip + 1 >= n_bytes || hex_value(bytes[n + skip]) < 0 ||
                hex_value(bytes[n + skip + 1]) < 0) {
                break;
            }
            n += skip + 2;
        }
        break;
    }
    return n;
}

/* PowerShell encodes UTF-16LE. Text of the Latin alphabet in it has a zero in every second byte. */
static size_t utf16le_narrow(uint8_t *text, size_t n)
{
    for (size_t i = 1; i < n; i += 2) {
        if (text[i] != 0) {
            return n;
        }
    }
    for (size_t i = 0; i < n / 2; i++) {
        text[i] = text[2 * i];
    }
    return n / 2;
}

/* Bytes of the UTF-8 character at `text`; 0 when it is none or not to be shown. */
static size_t character_length(const uint8_t *text, size_t n)
{
    size_t length = *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0;

    if (*text < 0x80) {
        return (*text >= 0x20 && *text != 0x7f) || *text == '\t' || *text == '\n' || *text == '\r';
    }
    if (length > n) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* How many bytes of `text` to show: all but a character that was cut at its end; 0 if unreadable.
 */
static size_t readable_length(const uint8_t *text, size_t n, bool is_cut)
{
    size_t at = 0;

    while (at < n) {
        size_t length = character_length(text + at, n - at);

        if (length == 0) {
            return is_cut && n - at < 4 && text[at] >= 0xc2 ? at : 0;
        }
        at += length;
    }
    return at;
}

/* What a run says, cut to `n_ret` bytes; 0 if it is not to be read. */
static size_t run_read(enum decode_form form, struct run run, uint8_t *ret, size_t n_ret)
{
    uint8_t text[2 * DECODE_BYTES_MAX];
    size_t n_raw = form == DECODE_HEX ? hex_decode(run, text, sizeof(text))
                                      : base64_decode(run, text, sizeof(text));
    size_t n = utf16le_narrow(text, n_raw);
    bool is_cut = n_raw == sizeof(text) || n > n_ret;

    n = readable_length(text, n > n_ret ? n_ret : n, is_cut);
    memcpy(ret, text, n);
    return n;
}

/* The last readable runs that begin before `limit`, in their order. Returns how many there are in
 * all; number i is at i % SHOWN_MAX. */
static size_t runs_find(enum decode_form form, const uint8_t *bytes, size_t n_bytes, size_t limit,
                        struct run ret_runs[SHOWN_MAX])
{
    uint8_t text[DECODE_BYTES_MAX];
    size_t n_runs = 0;
    size_t at = limit > INPUT_BYTES_MAX ? limit - INPUT_BYTES_MAX : 0;
    size_t end = n_bytes - at > 2 * INPUT_BYTES_MAX ? at + 2 * INPUT_BYTES_MAX : n_bytes;

    while (at < limit) {
        struct run run = {bytes + at, run_length(form, bytes + at, end - at)};

        at += run.n + 1;
        if (run.n >= RUN_CHARS_MIN && run_read(form, run, text, sizeof(text)) > 0) {
            ret_runs[n_runs++ % SHOWN_MAX] = run;
        }
    }
    return n_runs;
}

size_t decode_near(enum decode_form form, const uint8_t *bytes, size_t n_bytes, size_t match_end,
                   uint8_t *ret, size_t n_ret)
{
    struct run runs[SHOWN_MAX];
    size_t limit =
        match_end < n_bytes && n_bytes - match_end > BEHIND_MAX ? match_end + BEHIND_MAX : n_bytes;
    size_t n_runs = runs_find(form, bytes, n_bytes, limit, runs);
    size_t first = n_runs > SHOWN_MAX ? n_runs - SHOWN_MAX : 0;
    size_t n = 0;

    if (first > 0 && n_ret > sizeof(MORE)) {
        memcpy(ret, MORE, sizeof(MORE) - 1);
        n = sizeof(MORE) - 1;
    }
    for (size_t i = first; i < n_runs; i++) {
        size_t n_after = i + 1 < n_runs ? 1 : 0; /* a line end, unless it is the last */
        size_t room = (n_ret - n) / (n_runs - i);
        size_t n_read;

        if (room <= n_after) {
            continue;
        }
        n_read = run_read(form, runs[i % SHOWN_MAX], ret + n, room - n_after);
        n += n_read;
        if (n_after > 0 && n_read > 0 && ret[n - 1] != '\n') {
            ret[n++] = '\n';
        }
    }
    return n;
}

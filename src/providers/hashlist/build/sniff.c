/*
 * sniff: tells formats apart, and what only looks like one.
 *
 * A guess must not turn something else into a list of hashes: what is compressed or UTF-16 is
 * refused with the remedy, and so is hashes.csv of a MISP feed, whose MD5s are of the texts of its
 * attributes (addresses, names), not of files.
 */
#include "providers/hashlist/build/sniff.h"

#include <string.h>

#include "providers/hashlist/build/feed_text.h"

#define MD5_DIGITS 32u
#define UUID_BYTES 36u

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path);

    return n > strlen(suffix) && strcmp(path + n - strlen(suffix), suffix) == 0;
}

static bool begins(const char *head, size_t n_head, const char *magic, size_t n_magic)
{
    return n_head >= n_magic && memcmp(head, magic, n_magic) == 0;
}

/* MD5,UUID and nothing else. */
static bool is_misp_index(const char *line, size_t n_line)
{
    const char *uuid = line + MD5_DIGITS + 1;

    return n_line == MD5_DIGITS + 1 + UUID_BYTES && line[MD5_DIGITS] == ',' &&
           hash_digits(line, n_line) == MD5_DIGITS && uuid[8] == '-' && uuid[13] == '-' &&
           uuid[18] == '-' && uuid[23] == '-';
}

/* HASH:SIZE: or SIZE:HASH: */
static bool is_clamav(const char *line, size_t n_line)
{
    const char *colon = memchr(line, ':', n_line);
    size_t n_first = colon ? (size_t)(colon - line) : 0;

    return n_first > 0 && n_first + 1 < n_line &&
           memchr(colon + 1, ':', n_line - n_first - 1) != NULL;
}

/*
 * The first line that is neither empty nor a comment decides; a comment before it that names
 * columns counts if the line has as many fields.
 */
static enum feed_format text_format(const char *head, size_t n_head, const char **ret_wrong)
{
    struct csv_columns columns = {.n_columns = 0};

    while (n_head > 0) {
        const char *end = memchr(head, '\n', n_head);
        size_t n = end ? (size_t)(end - head) : n_head;
        const char *line = head;
        size_t n_line = n > 0 && head[n - 1] == '\r' ? n - 1 : n;

        head += end ? n + 1 : n;
        n_head -= end ? n + 1 : n;
        text_trim(&line, &n_line);
        if (n_line == 0) {
            continue;
        }
        if (*line == '#' || *line == ';') {
            (void)feed_csv_header(&columns, line, n_line);
            continue;
        }
        if ((columns.n_columns > 1 && feed_csv_fields(line, n_line) == columns.n_columns) ||
            feed_csv_header(&columns, line, n_line)) {
            return FEED_CSV;
        }
        if (is_misp_index(line, n_line)) {
            *ret_wrong = "the index of a MISP feed, whose MD5s are not of files; give the folder "
                         "of the feed, or its events";
            return FEED_AUTO;
        }
        return *line == '"' ? FEED_CSV : is_clamav(line, n_line) ? FEED_CLAMAV : FEED_PLAIN;
    }
    return FEED_PLAIN;
}

enum sniff sniff_format(const char *path, const char *head, size_t n_head,
                        enum feed_format *ret_format, const char **ret_wrong)
{
    *ret_wrong = NULL;
    *ret_format = FEED_AUTO;
    if (begins(head, n_head, "\x1f\x8b", 2) || begins(head, n_head, "PK\x03\x04", 4) ||
        begins(head, n_head,
               "\xfd"
               "7zXZ",
               5) ||
        begins(head, n_head, "\x28\xb5\x2f\xfd", 4)) {
        *ret_wrong = "compressed; unpack it first";
        return SNIFF_WRONG;
    }
    if (begins(head, n_head, "\xff\xfe", 2) || begins(head, n_head, "\xfe\xff", 2)) {
        *ret_wrong = "UTF-16; save it as UTF-8";
        return SNIFF_WRONG;
    }
    if (begins(head, n_head, "\xef\xbb\xbf", 3)) {
        head += 3;
        n_head -= 3;
    }
    for (size_t i = 0; i < n_head && strchr(" \t\r\n{[", head[i]); i++) {
        if (head[i] == '{' || head[i] == '[') {
            return SNIFF_JSON;
        }
    }
    *ret_format = text_format(head, n_head, ret_wrong);
    if (*ret_wrong) {
        return SNIFF_WRONG;
    }
    if (*ret_format == FEED_PLAIN && (has_suffix(path, ".hdb") || has_suffix(path, ".hsb") ||
                                      has_suffix(path, ".fp") || has_suffix(path, ".sfp"))) {
        *ret_format = FEED_CLAMAV;
    }
    return SNIFF_TEXT;
}

/* Lines end with LF or CRLF. A byte order mark is dropped before any line: files are put
 * together. */
#include "providers/hashlist/build/text_lines.h"

#include <string.h>

static int line_end(struct text_lines *lines)
{
    const char *line = lines->line;
    size_t n = lines->n_line;
    bool is_too_long = lines->is_too_long;

    lines->number++;
    lines->n_line = 0;
    lines->is_too_long = false;
    if (is_too_long) {
        return lines->take(lines->data, lines->number, NULL, 0);
    }
    if (n > 0 && line[n - 1] == '\r') {
        n--;
    }
    if (n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        n -= 3;
    }
    return lines->take(lines->data, lines->number, line, n);
}

int text_lines_push(struct text_lines *lines, const char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        const char *end = memchr(bytes, '\n', n_bytes);
        size_t n = end ? (size_t)(end - bytes) : n_bytes;
        size_t n_room = sizeof(lines->line) - lines->n_line;
        int r;

        lines->is_too_long = lines->is_too_long || n > n_room;
        memcpy(lines->line + lines->n_line, bytes, n < n_room ? n : n_room);
        lines->n_line += n < n_room ? n : n_room;
        if (!end) {
            return 0;
        }
        r = line_end(lines);
        if (r < 0) {
            return r;
        }
        bytes += n + 1;
        n_bytes -= n + 1;
    }
    return 0;
}

int text_lines_end(struct text_lines *lines)
{
    return lines->n_line > 0 || lines->is_too_long ? line_end(lines) : 0;
}

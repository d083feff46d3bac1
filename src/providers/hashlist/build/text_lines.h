/* Cuts text into lines, fed in pieces of any size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_LINE_BYTES_MAX 16384u

/* One line without its end; NULL when it was longer than TEXT_LINE_BYTES_MAX. 0 or negative
 * errno. */
typedef int (*text_line_fn)(void *data, uint64_t number, const char *line, size_t n_line);

struct text_lines {
    text_line_fn take;
    void *data;
    uint64_t number;
    size_t n_line; /* beyond the maximum: as much as that */
    bool is_too_long;
    char line[TEXT_LINE_BYTES_MAX];
};

int text_lines_push(struct text_lines *lines, const char *bytes, size_t n_bytes);

/* The last line, if it has no end. */
int text_lines_end(struct text_lines *lines);

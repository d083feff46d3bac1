/* What is wrong with a configuration: one line each, "FILE:LINE: what; remedy", in the order found.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define PROBLEMS_MAX            64
#define PROBLEMS_LINE_BYTES_MAX 512

struct problems {
    size_t n; /* all that there were; the first PROBLEMS_MAX are kept */
    char lines[PROBLEMS_MAX][PROBLEMS_LINE_BYTES_MAX];
};

/* `line` 0: the file as a whole. Text from outside goes through problems_quote(). */
void problems_add(struct problems *problems, const char *file, uint32_t line, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
void problems_add_v(struct problems *problems, const char *file, uint32_t line, const char *format,
                    va_list args) __attribute__((format(printf, 4, 0)));

/* How many lines are kept. */
size_t problems_n_kept(const struct problems *problems);

#define PROBLEMS_QUOTE_BYTES 96

/* Makes `text` harmless to show in single quotes, cut to fit; returns `buffer`. */
const char *problems_quote(const char *text, char buffer[PROBLEMS_QUOTE_BYTES]);

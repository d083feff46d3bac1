/*
 * The list of what is wrong with a configuration.
 *
 * An administrator wants to hear of every mistake at once, with the place and what to write
 * instead. Whoever finds one adds a line and goes on. The list has a bound, so that a hostile or
 * binary file cannot fill the log; what does not fit is still counted. The same line twice is one:
 * a text may be parsed more than once.
 */
#include "launcher/problems.h"

#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"

void problems_add_v(struct problems *problems, const char *file, uint32_t line, const char *format,
                    va_list args)
{
    char out[PROBLEMS_LINE_BYTES_MAX];
    int n;

    if (line > 0) {
        n = snprintf(out, PROBLEMS_LINE_BYTES_MAX, "%s:%u: ", file, line);
    } else {
        n = snprintf(out, PROBLEMS_LINE_BYTES_MAX, "%s: ", file);
    }
    if (n >= 0 && n < PROBLEMS_LINE_BYTES_MAX) {
        vsnprintf(out + n, PROBLEMS_LINE_BYTES_MAX - (size_t)n, format, args);
    }
    for (size_t i = 0; i < problems_n_kept(problems); i++) {
        if (strcmp(problems->lines[i], out) == 0) {
            return;
        }
    }
    if (problems->n < PROBLEMS_MAX) {
        memcpy(problems->lines[problems->n], out, sizeof(out));
    }
    problems->n++;
}

void problems_add(struct problems *problems, const char *file, uint32_t line, const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    problems_add_v(problems, file, line, format, args);
    va_end(args);
}

size_t problems_n_kept(const struct problems *problems)
{
    return problems->n < PROBLEMS_MAX ? problems->n : PROBLEMS_MAX;
}

const char *problems_quote(const char *text, char buffer[PROBLEMS_QUOTE_BYTES])
{
    safe_text_quoted(buffer, PROBLEMS_QUOTE_BYTES, text, strlen(text));
    return buffer;
}

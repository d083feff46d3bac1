/*
 * Telling whoever called, in lines that begin with "pes: ".
 *
 * Names of files come from an updater's folder, and reasons from a provider: all of a line is
 * escaped at once, so that none can end it, move the cursor or pretend to be another line. What is
 * longer than a line of the log is cut.
 */
#include "definitions/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"

#define TELL_BYTES 1024

void tell(const char *format, ...)
{
    char text[TELL_BYTES];
    char safe[2 * TELL_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    safe_text(safe, sizeof(safe), text, strlen(text));
    fprintf(stderr, "pes: %s\n", safe);
}

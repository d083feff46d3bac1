/*
 * Telling whoever called.
 *
 * Names come from strangers' packages: all of a line is escaped at once, so that none can end it or
 * pretend to be another.
 */
#include "package/tell.h"

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

/*
 * JSON for programs.
 *
 * Whatever is not ASCII is written as \uXXXX: nothing of the same meaning is lost, and a name with
 * escape or direction characters stays harmless when the line ends up on a terminal.
 */
#include "cli/json_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/safe_text.h"

json_t *json_text(const char *text, bool *ret_is_escaped)
{
    size_t n_text = strlen(text);
    size_t n_safe = n_text * 4 + 1;
    json_t *json = json_stringn(text, n_text);
    CLEANUP(freep) char *safe = NULL;

    *ret_is_escaped = false;
    if (json) {
        return json;
    }
    safe = malloc(n_safe);
    if (!safe) {
        return NULL;
    }
    *ret_is_escaped = true;
    safe_text(safe, n_safe, text, n_text);
    return json_string(safe);
}

json_t *json_text_or_null(const char *text)
{
    bool is_escaped;

    return text && text[0] ? json_text(text, &is_escaped) : json_null();
}

int json_print_line(json_t *object)
{
    CLEANUP(jsonp) json_t *owned = object;

    if (!owned) {
        return -ENOMEM;
    }
    json_dumpf(owned, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    return 0;
}

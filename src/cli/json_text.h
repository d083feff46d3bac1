/* JSON, one object per line, that is safe to show on a terminal. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A string of any bytes. What is not UTF-8 is escaped: \xNN for a byte, \\ for a backslash; then
 * *ret_is_escaped is set. */
json_t *json_text(const char *text, bool *ret_is_escaped);

/* null for NULL and "". */
json_t *json_text_or_null(const char *text);

/* Writes one line of ASCII to stdout; takes @object, also when it is NULL. Return: 0 or -ENOMEM. */
int json_print_line(json_t *object);

static inline void jsonp(json_t **json)
{
    json_decref(*json);
}
